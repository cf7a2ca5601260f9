import assert from "node:assert/strict";
import { chmodSync, chownSync, statSync } from "node:fs";
import { describe, test } from "node:test";
import { ROOT } from "../../../test/kit/needs.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { parseBesides, restoreModes, unclaimed } from "./installed-besides.ts";
import { besidesSentences } from "./uninstall.ts";

const NOTHING = parseBesides("");
const SHA = "0".repeat(64);

test("the record of set-up is read line by line, and nothing else becomes an argument or a path", () => {
  const text = [
    "user _rspamd",
    "user -rf",
    "user a b",
    "group ssl-cert",
    "group",
    `file ${SHA} /etc/dovecot/a file.conf`,
    `file ${SHA} /etc/../root/.bashrc`,
    `file ${SHA} /root/.bashrc`,
    "file 00 /etc/hosts",
    `link ${SHA} /etc/sv/x/supervise`,
    "directory /etc/sv/x",
    "directory /etc/sv/../../root",
    "mode 710 0:105 700 0:0 /etc/ssl/private",
    "mode 710 0:105 700 0:0 /root",
    "mode 710 0:105 /etc/ssl/private",
    "override root root 700 /etc/dovecot/private",
    "override root root 700 etc",
    "removed exim4-daemon-light",
    "removed libx:amd64",
    "removed bsd-mailx auto",
    "removed --purge",
    "",
  ].join("\n");
  assert.deepEqual(parseBesides(text), {
    users: ["_rspamd"],
    groups: ["ssl-cert"],
    files: [
      { path: "/etc/dovecot/a file.conf", sha256: SHA },
      { path: "/etc/sv/x/supervise", sha256: SHA },
    ],
    directories: ["/etc/sv/x"],
    modes: [{ path: "/etc/ssl/private", now: "710 0:105", before: "700 0:0" }],
    overrides: ["root root 700 /etc/dovecot/private"],
    removed: ["exim4-daemon-light", "libx", "bsd-mailx"],
    auto: ["bsd-mailx"],
  });
});

test("a user that no installed package needs is removed", () => {
  assert.deepEqual(unclaimed(["ghostinbox-of-no-package"]), ["ghostinbox-of-no-package"]);
});

test("uninstall's plan names every user, the files by their directories, and the directories", () => {
  const paths = ["/etc/postfix/main.cf", "/etc/ssl/certs/a.pem", "/etc/ssl/certs/b.pem", "/etc/aliases", "/etc/hosts"];
  const plan = besidesSentences({
    ...NOTHING,
    users: ["postfix"],
    groups: ["postdrop"],
    files: paths.map((path) => ({ path, sha256: "0" })),
    directories: ["/etc/postfix", "/etc/postfix/sasl", "/etc/runit"],
  });
  const named = plan.map((sentence) => sentence.split(": ")[1]);
  const files = "/etc/aliases /etc/hosts /etc/postfix/main.cf /etc/ssl/certs (2)";
  assert.deepEqual(named, ["postfix postdrop", files, "/etc/postfix /etc/runit"]);
  assert.deepEqual(besidesSentences(NOTHING), []);
});

describe("the mode and owner of a directory that a package changed", ROOT, () => {
  const path = temporaryDirectory();
  const state = (): string => `${(statSync(path).mode & 0o7777).toString(8)} ${statSync(path).gid}`;
  const modes = [
    { path, now: "750 0:105", before: "710 0:105" },
    { path, now: "710 0:105", before: "700 0:0" },
    { path: `${path}/gone`, now: "710 0:105", before: "700 0:0" },
  ];

  test("are restored, through every step of a repeated set-up", () => {
    chownSync(path, 0, 105);
    chmodSync(path, 0o750);
    restoreModes({ modes });
    assert.equal(state(), "700 0");
  });

  test("stay if someone has changed them since", () => {
    chmodSync(path, 0o755);
    restoreModes({ modes });
    assert.equal(state(), "755 0");
  });
});
