import assert from "node:assert/strict";
import { test } from "node:test";
import { belongsTo, type Process, startTimeOf } from "./processes.ts";

const DATA = "/srv/mail";
const at = (changes: Partial<Process>): Process => ({ pid: 7, args: [], exe: "/usr/bin/x", cwd: "/", ...changes });

for (const [what, found] of [
  ["runsvdir of this directory", at({ exe: "/usr/bin/runsvdir", args: ["runsvdir", "-P", "/srv/mail/service"] })],
  ["its runsv", at({ exe: "/usr/bin/runsv", args: ["runsv", "guard"], cwd: "/srv/mail/service" })],
  ["our own runtime", at({ exe: "/srv/mail/program/node", cwd: "/" })],
  ["Postfix's master", at({ exe: "/usr/lib/postfix/sbin/master", args: ["master", "-c", "/srv/mail/conf/postfix"] })],
  ["an smtpd", at({ exe: "/usr/lib/postfix/sbin/smtpd", args: ["smtpd"], cwd: "/srv/mail/spool/postfix" })],
  ["Postgrey", at({ exe: "/usr/bin/perl", args: ["postgrey --unix=/srv/mail/x"], cwd: "/srv/mail/service/postgrey" })],
  ["what keeps Postgrey's place", at({ args: ["sleep", "infinity"], cwd: "/srv/mail/service/postgrey" })],
  [
    "a master seen from outside its chroot",
    at({ exe: "/jail/usr/lib/postfix/sbin/master", cwd: "/jail/srv/mail/spool" }),
  ],
  ["Dovecot's anvil", at({ exe: "/usr/lib/dovecot/anvil", cwd: "/srv/mail/run/dovecot" })],
] as const)
  test(`${what} belongs to the server`, () => assert.ok(belongsTo(DATA, found)));

for (const [what, found] of [
  ["a shell that stands in the directory", at({ exe: "/usr/bin/bash", cwd: "/srv/mail/log" })],
  ["an editor with the settings open", at({ exe: "/usr/bin/vim", args: ["vim", "/srv/mail/ghostinbox.toml"] })],
  ["somebody's pause", at({ args: ["sleep", "infinity"], cwd: "/srv/mail/mail" })],
  ["another program in Perl", at({ exe: "/usr/bin/perl", args: ["perl", "count.pl"], cwd: "/srv/mail/log" })],
  ["another Postfix", at({ exe: "/usr/lib/postfix/sbin/master", cwd: "/var/spool/postfix" })],
  ["a directory whose name only begins alike", at({ exe: "/usr/bin/runsv", cwd: "/srv/mail2/service" })],
] as const)
  test(`${what} does not`, () => assert.ok(!belongsTo(DATA, found)));

test("a start time is known of what runs, and of nothing else", () => {
  assert.match(startTimeOf(process.pid) ?? "", /^\d+$/);
  assert.equal(startTimeOf(4_194_305), null);
});
