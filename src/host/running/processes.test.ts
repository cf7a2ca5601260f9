// Invariant: Set-up ends every process of an earlier run.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, realpathSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { ROOT } from "../../../test/kit/needs.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { until } from "../../../test/kit/until.ts";
import { among, isAnotherAmong, namesOf } from "./processes.ts";
import {
  freeMemoryHere,
  listProcesses,
  memoryHere,
  memoryOf,
  networkOf,
  type Process,
  startTimeOf,
} from "./read-processes.ts";

const MB = 1024 ** 2;
const DATA = ["/srv/mail"];
const WHOSE = { ours: new Set([901]), shared: new Set([105]), network: "44" };
const OURS = [901, 901, 901, 901];
const RSPAMD = [105, 105, 105, 105];
const at = (changes: Partial<Process>): Process => ({
  pid: 7,
  parent: 1,
  users: [0, 0, 0, 0],
  args: [],
  exe: "/usr/bin/x",
  cwd: "/",
  isContained: false,
  seesOther: () => false,
  isUnshared: () => false,
  network: () => "44",
  used: () => [],
  ...changes,
});

const runsv = (cwd: string, changes: Partial<Process> = {}): Process =>
  at({ exe: "/usr/bin/runsv", args: ["runsv", "guard"], cwd, ...changes });
const python = (...args: readonly string[]): Process =>
  at({ exe: "/usr/bin/python3.11", args: ["/usr/bin/python3", ...args] });

for (const [what, found] of [
  ["runsvdir of this directory", at({ exe: "/usr/bin/runsvdir", args: ["runsvdir", "-P", "/srv/mail/service"] })],
  ["its runsv", runsv("/srv/mail/service")],
  ["our own runtime", at({ exe: "/srv/mail/program/node", cwd: "/" })],
  ["Postfix's master", at({ exe: "/usr/lib/postfix/sbin/master", args: ["master", "-c", "/srv/mail/conf/postfix"] })],
  ["an smtpd", at({ exe: "/usr/lib/postfix/sbin/smtpd", args: ["smtpd"], cwd: "/srv/mail/spool/postfix" })],
  ["Postgrey", at({ exe: "/usr/bin/perl", args: ["postgrey --unix=/srv/mail/x"], cwd: "/srv/mail/service/postgrey" })],
  ["the program that shows spamd the head of a mail", python("-I", "/srv/mail/program/spam-head.py")],
  ["Fail2ban", python("/usr/bin/fail2ban-server", "-c", "/srv/mail/conf/fail2ban")],
  ["the placeholder of Postgrey", at({ args: ["sleep", "infinity"], cwd: "/srv/mail/service/postgrey" })],
  ["a master seen outside its chroot", at({ exe: "/jail/usr/lib/postfix/sbin/master", cwd: "/jail/srv/mail/spool" })],
  ["Dovecot's anvil", at({ exe: "/usr/lib/dovecot/anvil", cwd: "/srv/mail/run/dovecot" })],
  ["any process of a user of ours", at({ users: OURS })],
  ["a process that was a user of ours before", at({ users: [33, 33, 901, 33] })],
  ["a user of ours whose program root may not see", at({ users: OURS, exe: "", cwd: "" })],
  ["a user of ours in a separate network", at({ users: OURS, network: () => "45", isUnshared: () => true })],
  ["a user of ours that made a container for itself", at({ users: OURS, isContained: true, isUnshared: () => true })],
  ["_rspamd with a file of ours open", at({ users: RSPAMD, used: () => ["/srv/mail/lib/rspamd/x"] })],
  ["_rspamd with our environment", at({ users: RSPAMD, used: () => ["HOME=/srv/mail/lib/spamd"] })],
  ["_rspamd whose working directory is ours", at({ users: RSPAMD, cwd: "/srv/mail/lib/rspamd" })],
] as const)
  test(`${what} belongs to the server`, () => assert.deepEqual(among(DATA, [found], WHOSE), [found]));

for (const [what, found] of [
  [
    "a runsv of the same name in a separate mount namespace",
    runsv("/srv/mail/service", { seesOther: (name) => name === "/srv/mail" }),
  ],
  ["a shell whose working directory is ours", at({ exe: "/usr/bin/bash", cwd: "/srv/mail/log" })],
  ["an editor with the settings open", at({ exe: "/usr/bin/vim", args: ["vim", "/srv/mail/ghostinbox.toml"] })],
  ["someone's pause", at({ args: ["sleep", "infinity"], cwd: "/srv/mail/mail" })],
  ["another program in Perl", at({ exe: "/usr/bin/perl", args: ["perl", "count.pl"], cwd: "/srv/mail/log" })],
  ["another program in Python", python("/srv/mail/count.py")],
  ["another Postfix", at({ exe: "/usr/lib/postfix/sbin/master", cwd: "/var/spool/postfix" })],
  ["another program below a directory of this name", at({ exe: "/opt/srv/mail/bin/tool" })],
  ["a directory whose name only has the same prefix", runsv("/srv/mail2/service")],
  ["our own runtime, run by someone else", at({ users: [1000, 1000, 1000, 1000], exe: "/srv/mail/program/node" })],
  ["a user of ours in another network", at({ users: OURS, network: () => "45" })],
  ["a user of ours that has ended", at({ users: OURS, network: () => null })],
  ["the same user id in a container", at({ users: OURS, isContained: true })],
  ["Debian's own rspamd", at({ users: RSPAMD, exe: "/usr/bin/rspamd", used: () => ["/var/lib/rspamd"] })],
  ["another user in a separate container", at({ users: [902, 902, 902, 902], isUnshared: () => true })],
  ["a program of ours in a container", at({ exe: "/srv/mail/program/node", isContained: true })],
] as const)
  test(`${what} does not`, () => assert.deepEqual(among(DATA, [found], WHOSE), []));

test("the children of the server's processes belong to it, even in a separate container", () => {
  const [ours, child, grandchild, other] = [
    at({ pid: 10, exe: "/srv/mail/program/node" }),
    at({ pid: 11, parent: 10, isContained: true }),
    at({ pid: 12, parent: 11 }),
    at({ pid: 13, parent: 1 }),
  ];
  const found = among(DATA, [grandchild, other, child, ours], WHOSE);
  assert.deepEqual(new Set(found.map(({ pid }) => pid)), new Set([10, 11, 12]));
});

test("a sandbox in a foreign container stays, even if its user has one of our ids", () => {
  const container = at({ pid: 20, isContained: true });
  const sandbox = at({ pid: 21, parent: 20, users: OURS, isContained: true, isUnshared: () => true });
  assert.deepEqual(among(DATA, [container, sandbox], WHOSE), []);
});

test("a second server in the same network keeps its processes, even though its users are the same", () => {
  const machines = at({ pid: 2, exe: "/usr/bin/runsvdir", args: ["runsvdir", "/etc/service"] });
  const ours = runsv("/srv/mail/service", { pid: 10, parent: 2 });
  const theirs = runsv("/srv/other/service", { pid: 20 });
  const [child, theirChild] = [at({ pid: 11, parent: 10, users: OURS }), at({ pid: 21, parent: 20, users: OURS })];
  const found = among(DATA, [machines, ours, theirs, child, theirChild, at({ pid: 31, users: OURS })], WHOSE);
  assert.deepEqual(new Set(found.map(({ pid }) => pid)), new Set([10, 11, 31]));
});

test("another server is found if root's supervisor runs a user of ours in this network for a different directory", () => {
  const supervisor = runsv("/srv/other/service", { pid: 20 });
  const guard = at({ pid: 21, parent: 20, users: OURS });
  const runs = (...all: readonly Process[]): boolean => isAnotherAmong(DATA, all, WHOSE);
  assert.equal(runs(supervisor, guard), true);
  assert.equal(runs({ ...supervisor, cwd: "/srv/mail/service" }, guard), false, "it belongs to this directory");
  assert.equal(runs(guard), false, "left by a killed server");
  assert.equal(runs(supervisor, { ...guard, users: [33, 33, 33, 33] }), false, "it runs something else");
  assert.equal(runs(supervisor, { ...guard, network: () => "45" }), false, "it has a different firewall");
  assert.equal(runs({ ...supervisor, users: OURS }, guard), false, "anyone can start a runsv");
});

test("a data directory behind a link is recognised by its real path", () => {
  const top = realpathSync(temporaryDirectory());
  mkdirSync(join(top, "disk"));
  symlinkSync(join(top, "disk"), join(top, "mail"));
  const supervisor = runsv(`${top}/disk/service`, { pid: 20 });
  const guard = at({ pid: 21, parent: 20, users: OURS });
  const master = at({ pid: 22, exe: "/usr/lib/postfix/sbin/master", args: ["master", "-c", `${top}/mail/conf`] });
  for (const data of [join(top, "mail"), join(top, "disk")])
    assert.equal(isAnotherAmong(namesOf(data), [supervisor, guard], WHOSE), false, data);
  assert.equal(isAnotherAmong(namesOf(join(top, "missing")), [supervisor, guard], WHOSE), true);
  assert.deepEqual(among(namesOf(join(top, "mail")), [supervisor, guard, master], WHOSE), [supervisor, guard, master]);
});

test("only the start of long arguments is read, and none of a stranger's process", async (t) => {
  const found = await processOf(t, spawn("sleep", ["600", "0".repeat(100_000)], { stdio: "ignore" }));
  assert.equal(found?.args[0], "sleep");
  assert.ok(found.args.join("").length < 65_536);
  const stranger: Process = {
    ...at({ users: [1_000, 1_000, 1_000, 1_000] }),
    get args() {
      return assert.fail();
    },
  };
  assert.deepEqual(among(DATA, [stranger], WHOSE), []);
});

test("a running process is read correctly", async (t) => {
  const options = { cwd: "/usr", env: { HOME: "/srv/mail" }, stdio: "ignore" } as const;
  const found = await processOf(t, spawn("sleep", ["600"], options));
  const uid = process.getuid?.() ?? 0;
  assert.deepEqual([found?.parent, found?.args, found?.cwd], [process.pid, ["sleep", "600"], "/usr"]);
  assert.deepEqual(found?.users, [uid, uid, uid, uid]);
  assert.equal(found?.isContained, false);
  assert.match(found?.network() ?? "", /^\d+$/);
  assert.equal(found?.network(), networkOf(process.pid));
  assert.ok(found?.used().includes("HOME=/srv/mail"));
});

test("a different directory with the same name is recognised as its process sees it", ROOT, async (t) => {
  const [hidden, seen] = [temporaryDirectory(), temporaryDirectory()];
  const mount = ["--mount", "--propagation", "private", "sh", "-c", 'mount -t tmpfs tmpfs "$0"; echo; exec sleep 600'];
  const found = await processOf(t, spawn("unshare", [...mount, hidden], { stdio: ["ignore", "pipe", "ignore"] }));
  const seesOther = [hidden, seen, join(seen, "none")].map((name) => found?.seesOther(name));
  assert.deepEqual(seesOther, [true, false, false]);
});

test("a different directory that a process in a chroot sees is recognised", ROOT, async (t) => {
  const [data, theirs] = [temporaryDirectory(), temporaryDirectory()];
  for (const directory of [data, theirs]) mkdirSync(join(directory, "login"));
  const enters = 'chroot $ARGV[0] or die; chdir "/"; $| = 1; print "there"; sleep 600';
  const seesOther = async (before: string): Promise<boolean | undefined> => {
    const script = `${before}; exec perl -e '${enters}' "$0/login"`;
    const argv = ["--mount", "--propagation", "private", "sh", "-c", script, data, theirs];
    const found = await processOf(t, spawn("unshare", argv, { stdio: ["ignore", "pipe", "inherit"] }));
    return found?.seesOther(data);
  };
  assert.equal(await seesOther(":"), false);
  assert.equal(await seesOther('mount --bind "$1" "$0"'), true);
});

test("a start time is known only for running processes", () => {
  assert.match(startTimeOf(process.pid) ?? "", /^\d+$/);
  assert.equal(startTimeOf(4_194_305), null);
});

/** Reads a child once it runs or, if it prints something, has done so. The child runs until the test ends. */
async function processOf(t: TestContext, child: ChildProcess): Promise<Process | undefined> {
  t.after(async () => {
    child.kill("SIGKILL");
    await once(child, "exit");
  });
  await (child.stdout === null ? once(child, "spawn") : once(child.stdout, "data"));
  const found = (): Process | undefined => listProcesses().find(({ pid }) => pid === child.pid);
  // Node reports the start before the kernel has set the arguments.
  await until(() => (found()?.args.length ?? 0) > 0);
  return found();
}

test("the memory of this machine and of a running process is known", () => {
  assert.ok(memoryHere() > 64 * MB && memoryHere() < 2 ** 50);
  assert.ok(freeMemoryHere() > 0 && freeMemoryHere() < memoryHere());
  const before = memoryOf(process.pid);
  const held = Buffer.alloc(64 * MB, 1);
  assert.ok(memoryOf(process.pid) - before > held.length / 2);
  assert.equal(memoryOf(2 ** 30), 0);
});
