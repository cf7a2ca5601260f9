import assert from "node:assert/strict";
import { mkdirSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { put } from "../../../test/kit/files.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { compareMails, sampleOf } from "./check-restored.ts";
import { mailFiles, mailsOfAccounts } from "./stage.ts";

function mailbox(...mails: readonly string[]): string {
  const top = temporaryDirectory();
  for (const name of mails) put(join(top, "example.test", "anna", "Maildir", name), `content of ${name.split(":")[0]}`);
  return top;
}

test("counts mails for each account, but no indexes, half delivered mails or links", () => {
  const top = mailbox("cur/1:2,S", ".Archive.2026/new/2", "tmp/3", "dovecot-uidlist");
  put(join(top, "example.test", "bert", "Maildir", "cur", "4:2,"), "");
  symlinkSync("/etc/hostname", join(top, "example.test", "bert", "Maildir", "cur", "5:2,"));
  assert.deepEqual(mailsOfAccounts(mailFiles(top)), { "anna@example.test": 2, "bert@example.test": 1 });
  assert.deepEqual([...mailFiles(join(top, "missing"))], []);
});

test("distinguishes a mail that was read, moved or deleted since from a different one", () => {
  const names = ["cur/same:2,S", "new/read", "cur/deleted:2,", "cur/moved:2,", "cur/changed:2,", "cur/link:2,"];
  const restored = mailbox(...names);
  const running = mailbox(...names);
  const at = (name: string) => join(running, "example.test", "anna", "Maildir", name);
  renameSync(at("new/read"), at("cur/read:2,FS"));
  rmSync(at("cur/deleted:2,"));
  mkdirSync(at(".Archive/cur"), { recursive: true });
  renameSync(at("cur/moved:2,"), at(".Archive/cur/moved:2,"));
  put(at("cur/changed:2,"), "another");
  rmSync(at("cur/link:2,"));
  symlinkSync(at("cur/same:2,S"), at("cur/link:2,"));
  const compared = compareMails([...mailFiles(restored)], restored, running);
  assert.deepEqual(compared, { same: 2, gone: 3, different: ["example.test/anna/Maildir/cur/changed:2,"] });
});

test("a sample has each mail at most once, and may contain any of them", () => {
  const files = Array.from({ length: 20 }, (_, i) => ({ account: "", path: String(i) }));
  assert.deepEqual(sampleOf(files, 50), files);
  const drawn = new Set<string>();
  for (let round = 0; round < 200; round++) {
    const sample = sampleOf(files, 5);
    assert.equal(new Set(sample.map(({ path }) => path)).size, 5);
    for (const { path } of sample) drawn.add(path);
  }
  assert.equal(drawn.size, files.length);
});
