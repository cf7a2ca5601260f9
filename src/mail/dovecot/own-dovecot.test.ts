import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { installed, ROOT } from "../../../test/kit/needs.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { ownDovecotSettings } from "./own-dovecot.ts";

const TEXT = "login_greeting = Hello.\n";

const used = (text: string) => ({ text, unused: null });

test("without a setting or its file, nothing is set", () => {
  for (const file of ["", join(temporaryDirectory(), "dovecot.cf")])
    assert.deepEqual(ownDovecotSettings(file), used(""));
});

test("a file that only root can write is used, and no other", ROOT, () => {
  const file = join(temporaryDirectory(), "dovecot.cf");
  writeFileSync(file, TEXT, { mode: 0o644 });
  assert.deepEqual(ownDovecotSettings(file), used(TEXT));
  const isUnused = (): void => {
    const { text, unused } = ownDovecotSettings(file);
    assert.equal(text, "");
    assert.match(unused ?? "", /must belong to root, and no one else may write to it: chown root \//);
  };
  for (const mode of [0o664, 0o646]) {
    chmodSync(file, mode);
    isUnused();
  }
  chmodSync(file, 0o644);
  chownSync(file, 65_534, 0);
  isUnused();
});

test("a FIFO, a directory and an unreadable path are reported and not used", installed("mkfifo"), () => {
  const pipe = join(temporaryDirectory(), "dovecot.cf");
  execFileSync("mkfifo", [pipe]);
  for (const path of [join(process.execPath, "x"), temporaryDirectory(), pipe])
    assert.match(ownDovecotSettings(path).unused ?? "", / cannot be read: /);
});

test("`remote {` without a network sets its contents for every client", ROOT, () => {
  const file = join(temporaryDirectory(), "dovecot.cf");
  const own = "protocol imap {\n  a = 1\n}\nremote {\n  b = 2\n  inner {\n  }\n}\nremote 192.0.2.1 {\n}\n";
  const meant = "protocol imap {\n  a = 1\n}\n# remote {\n  b = 2\n  inner {\n  }\n# }\nremote 192.0.2.1 {\n}\n";
  writeFileSync(file, own, { mode: 0o644 });
  assert.deepEqual(ownDovecotSettings(file), used(meant));
});
