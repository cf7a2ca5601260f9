import assert from "node:assert/strict";
import { test } from "node:test";
import { parseBesides, unclaimed } from "./installed-besides.ts";
import { besidesSentences } from "./uninstall.ts";

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
    "removed exim4-daemon-light",
    "removed libx:amd64",
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
    removed: ["exim4-daemon-light", "libx"],
  });
});

test("a user whom a package that is here makes stays", {
  skip: process.platform !== "linux" ? "no dpkg" : false,
}, () => {
  assert.deepEqual(unclaimed(["ghostinbox-of-no-package"]), ["ghostinbox-of-no-package"]);
});

test("uninstall's plan names every user, file and directory that goes", () => {
  const plan = besidesSentences({
    users: ["postfix"],
    groups: ["postdrop"],
    files: [{ path: "/etc/postfix/main.cf", sha256: "0" }],
    directories: ["/etc/postfix"],
    removed: ["exim4"],
  });
  for (const name of ["postfix postdrop", "/etc/postfix/main.cf", "/etc/postfix.", "exim4"])
    assert.ok(plan.join("\n").includes(name), name);
  assert.deepEqual(besidesSentences({ users: [], groups: [], files: [], directories: [], removed: [] }), []);
});
