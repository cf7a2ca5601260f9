import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { createContentLists, createSpamPreferenceFiles } from "./watch-content.ts";

describe("files of allowed senders", () => {
  test("are written where spamd reads them, and again only when a list changes", () => {
    const directory = temporaryDirectory();
    const lists = new Map([["anna@example.org", ["bea@friend.example"]]]);
    let changes = 0;
    let reads = 0;
    const byRecipient = () => {
      reads += 1;
      return lists;
    };
    const refresh = createSpamPreferenceFiles(directory, { byRecipient, changes: () => changes });
    refresh();
    const file = join(directory, "example.org", "anna", "user_prefs");
    assert.match(readFileSync(file, "utf8"), /bea@friend\.example/);
    assert.equal(statSync(file).mode & 0o007, 0, "other users may not read it");
    utimesSync(file, 1_000, 1_000);
    refresh();
    assert.equal(reads, 1, "the lists are not even read before a change");
    changes += 1;
    refresh();
    assert.equal(statSync(file).mtimeMs, 1_000_000);
    lists.set("anna@example.org", ["*@other.example"]);
    changes += 1;
    refresh();
    assert.match(readFileSync(file, "utf8"), /\*@other\.example/);
    lists.delete("anna@example.org");
    changes += 1;
    refresh();
    assert.ok(!existsSync(file));
  });

  test("that could not be written are retried", () => {
    const directory = join(temporaryDirectory(), "spam");
    writeFileSync(directory, "a file where the directory should be");
    const byRecipient = () => new Map([["anna@example.org", ["bea@friend.example"]]]);
    const refresh = createSpamPreferenceFiles(directory, { byRecipient, changes: () => 0 });
    assert.throws(refresh, /EEXIST|ENOTDIR/);
    rmSync(directory);
    refresh();
    assert.ok(existsSync(join(directory, "example.org", "anna", "user_prefs")));
  });
});

test("a list that cannot be written is noted, and the others are still written", () => {
  const warned: string[] = [];
  const log = { info: assert.fail, error: assert.fail, warn: (says: string) => warned.push(says) };
  let authors = 0;
  const full = (): never => {
    throw new Error("disk full");
  };
  const lists = createContentLists({ log, preferences: full, authors: () => (authors += 1) });
  lists.refresh();
  lists.refresh();
  assert.deepEqual(warned, ["The lists of allowed senders could not be written; retrying."], "once");
  assert.equal(authors, 2);
});
