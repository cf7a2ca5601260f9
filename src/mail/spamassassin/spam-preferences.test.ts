import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { writeSpamPreferences } from "./spam-preferences.ts";

test("each recipient has a file, unreadable by others, while it allows senders", () => {
  const directory = temporaryDirectory();
  const file = join(directory, "example.org", "anna", "user_prefs");
  const both = Object.entries({ "anna@example.org": "one\n", "bert@example.org": "two\n" });
  writeSpamPreferences(directory, new Map(both));
  assert.equal(readFileSync(file, "utf8"), "one\n");
  assert.equal(statSync(file).mode & 0o007, 0);
  writeSpamPreferences(directory, new Map([["anna@example.org", "three\n"]]));
  assert.equal(readFileSync(file, "utf8"), "three\n");
  assert.deepEqual(readdirSync(join(directory, "example.org")), ["anna"]);
});
