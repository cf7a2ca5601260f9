import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { lacking } from "../../../test/kit/needs.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { ownDovecotSettings } from "./own-dovecot.ts";

const TEXT = "login_greeting = Hello.\n";

test("no file is named, or there is none: nothing is set", () => {
  for (const file of ["", join(temporaryDirectory(), "dovecot.cf")]) assert.equal(ownDovecotSettings(file), "");
});

test("what root has written is taken, and nothing that others could have", { skip: lacking({ root: true }) }, () => {
  const file = join(temporaryDirectory(), "dovecot.cf");
  writeFileSync(file, TEXT, { mode: 0o644 });
  assert.equal(ownDovecotSettings(file), TEXT);
  for (const mode of [0o664, 0o646]) {
    chmodSync(file, mode);
    assert.throws(() => ownDovecotSettings(file), /must belong to root, and nobody else may write it: chown root \//);
  }
  chmodSync(file, 0o644);
  chownSync(file, 65_534, 0);
  assert.throws(() => ownDovecotSettings(file), /must belong to root/);
});

test("what is no file is told", { skip: lacking({ installed: ["mkfifo"] }) }, () => {
  const pipe = join(temporaryDirectory(), "dovecot.cf");
  execFileSync("mkfifo", [pipe]);
  for (const path of [join(process.execPath, "x"), temporaryDirectory(), pipe])
    assert.throws(() => ownDovecotSettings(path), /is not read: .* config unset mailboxes\.dovecot$/);
});
