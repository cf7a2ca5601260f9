import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { writeSpamPreferences } from "./spam-preferences.ts";

test("each recipient has a file, unreadable by others, while it allows senders", () => {
  const directory = mkdtempSync(join(tmpdir(), "ghostinbox-prefs-"));
  try {
    const file = join(directory, "example.org", "anna", "user_prefs");
    writeSpamPreferences(
      directory,
      new Map([
        ["anna@example.org", "one\n"],
        ["bert@example.org", "two\n"],
      ]),
    );
    assert.equal(readFileSync(file, "utf8"), "one\n");
    assert.equal(statSync(file).mode & 0o007, 0);
    writeSpamPreferences(directory, new Map([["anna@example.org", "three\n"]]));
    assert.equal(readFileSync(file, "utf8"), "three\n");
    assert.deepEqual(readdirSync(join(directory, "example.org")), ["anna"]);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
