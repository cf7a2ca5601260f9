import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, beforeEach, describe, type TestContext, test } from "node:test";
import { UnsafePath } from "../../src/host/root-files/directory.ts";
import { createFile, writeFile } from "../../src/host/root-files/files.ts";
import { giveDirectory, takeTree } from "../../src/host/root-files/trees.ts";
import { removeTree } from "../../src/host/root-files/walk.ts";
import { endProgram } from "./commands.ts";

const ATTACKER = 65_534;
const OWNER = { uid: 61_001, gid: 61_002 };
/** If root went by names, it would lose about one round in twenty. */
const ROUNDS = 500;
/** Swaps of a directory for a link to the victim's, while root works. */
const LEAST_SWAPS = 20_000;
const FILES = 40;
/**
 * Exchanges, by renameat2(2), a directory and a link to the victim's. In Perl, since an unprivileged user may not reach the
 * Node runtime of a checkout below /root. Reports every hundred swaps.
 */
const SWAPPER = `
  use POSIX ();
  $| = 1;
  my ($name, $victim) = @ARGV;
  my ($aside, $here, $exchange) = ("$name.aside", -100, 2);
  my $renameat2 = (POSIX::uname())[4] eq "x86_64" ? 316 : 276;
  for (my $n = 1; ; $n++) {
    symlink($victim, $aside) unless -l $aside or -l $name;
    syscall($renameat2, $here, $name, $here, $aside, $exchange);
    print "$n\\n" if $n % 100 == 0;
  }`;

const skip = process.getuid?.() === 0 ? false : "only root can play root against another user";

describe("an attacker who owns a tree that root works on", { skip }, () => {
  const top = mkdtempSync(join("/var/tmp", "gi-root-files-"));
  chmodSync(top, 0o755);
  after(() => rmSync(top, { recursive: true, force: true }));
  const data = join(top, "data");
  const tree = join(data, "tree");
  const victim = join(top, "victim");

  beforeEach(() => {
    for (const path of [tree, victim]) rmSync(path, { recursive: true, force: true });
    mkdirSync(victim);
    for (let n = 0; n < FILES; n++) writeFileSync(join(victim, `${n}`), "root's", { mode: 0o600 });
    for (const part of ["before", "swapped"]) {
      mkdirSync(join(tree, part), { recursive: true });
      for (let n = 0; n < FILES; n++) writeFileSync(join(tree, part, `${n}`), "");
    }
    execFileSync("chown", ["-R", "-h", `${ATTACKER}:${ATTACKER}`, tree]);
  });

  /** Repeats root's work while a process of the attacker's swaps this directory for a link and back as fast as it can. */
  async function duringSwaps(t: TestContext, name: string, work: () => void): Promise<void> {
    const user = { uid: ATTACKER, gid: ATTACKER };
    const child = spawn("perl", ["-e", SWAPPER, name, victim], { ...user, stdio: ["ignore", "pipe", "inherit"] });
    t.after(() => endProgram(child, "SIGKILL"));
    const swaps = { count: 0 };
    createInterface(child.stdout).on("line", (line) => (swaps.count = Number(line)));
    for (let round = 0; round < ROUNDS || swaps.count < LEAST_SWAPS; round++) {
      work();
      assert.equal(child.exitCode, null);
      // Notices the swaps.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  function expectUntouched(): void {
    const names = readdirSync(victim);
    assert.equal(names.length, FILES, "none has gone, and none has come");
    for (const path of [victim, ...names.map((name) => join(victim, name))]) assert.equal(lstatSync(path).uid, 0, path);
  }

  test("gets no other user's file by a directory swapped for a link while root gives the tree away", async (t) => {
    await duringSwaps(t, join(tree, "swapped"), () => {
      giveDirectory(tree, { mode: 0o700, owner: OWNER }, true);
      assert.equal(lstatSync(tree).uid, OWNER.uid);
      chownSync(tree, ATTACKER, ATTACKER);
    });
    expectUntouched();
  });

  test("nor while root takes over the files of a removed user in the tree", async (t) => {
    const outside = join(victim, "0");
    chownSync(outside, OWNER.uid, OWNER.gid);
    await duringSwaps(t, join(tree, "swapped"), () => {
      chownSync(join(tree, "before", "0"), OWNER.uid, OWNER.gid);
      takeTree(data, new Set([OWNER.uid]), new Set());
      assert.equal(lstatSync(join(tree, "before", "0")).uid, 0);
      assert.equal(lstatSync(outside).uid, OWNER.uid, "what is not in the tree keeps its owner");
    });
  });

  test("gets no other user's file removed", async (t) => {
    await duringSwaps(t, join(tree, "swapped"), () => {
      try {
        removeTree(tree);
      } catch (error) {
        // Files that appear or vanish while root removes: root reports them, and the next start removes them.
        assert.match(String(error), /ENOTEMPTY|ENOENT|ENOTDIR|EISDIR/);
      }
      mkdirSync(join(tree, "swapped"), { recursive: true });
      chownSync(tree, ATTACKER, ATTACKER);
    });
    expectUntouched();
  });

  test("cannot redirect a write by turning a part of its path into a link", async (t) => {
    const own = join(tree, "own");
    mkdirSync(own);
    let written = 0;
    await duringSwaps(t, own, () => {
      try {
        writeFile(join(own, "file"), "root's", { mode: 0o600 });
        written += 1;
      } catch (error) {
        assert.ok(error instanceof UnsafePath || /ENOENT/.test(String(error)), String(error));
      }
    });
    assert.ok(written > 0, "the swaps are not always in the way");
    expectUntouched();
  });

  test("gets no other user's file by a hard link, while copies of mails are made", () => {
    const others = join(victim, "0");
    linkSync(others, join(tree, "swapped", "hard"));
    const users = join(top, "users-own");
    writeFileSync(users, "");
    chownSync(users, ATTACKER, ATTACKER);
    linkSync(users, join(tree, "swapped", "outside"));
    linkSync(join(tree, "before", "0"), join(tree, "swapped", "copy"));
    execFileSync("mknod", [join(tree, "disk"), "b", "7", "0"]);
    chownSync(join(tree, "disk"), ATTACKER, ATTACKER);
    execFileSync("mkfifo", [join(tree, "pipe")]);
    symlinkSync(others, join(tree, "link"));
    for (const name of ["pipe", "link"]) execFileSync("chown", ["-h", `${ATTACKER}`, join(tree, name)]);

    const skipped = giveDirectory(tree, { mode: 0o700, owner: OWNER }, true);

    const uidOf = (...parts: readonly string[]): number => lstatSync(join(tree, ...parts)).uid;
    for (const name of ["before/0", "swapped/copy", "swapped/1", "pipe", "link"])
      assert.equal(uidOf(name), OWNER.uid, name);
    assert.deepEqual([uidOf("swapped/hard"), uidOf("swapped/outside"), uidOf("disk")], [0, ATTACKER, ATTACKER]);
    assert.equal(skipped.count, 3);
    assert.ok(skipped.first?.startsWith(tree));
    expectUntouched();
    rmSync(users);
  });

  test("gets no file by a link where root writes: root does not write in another user's directory", () => {
    symlinkSync(join(victim, "0"), join(tree, "key.pem"));
    symlinkSync(join(victim, "0"), join(tree, "key.pem.new"));
    const access = { mode: 0o640, owner: OWNER };
    assert.throws(() => writeFile(join(tree, "key.pem"), "", access), /belongs to uid 65534, so root does not write/);
    assert.equal(createFile(join(tree, "key.pem"), access), false);
    assert.throws(() => giveDirectory(join(tree, "before", "x"), { mode: 0o700, owner: OWNER }), UnsafePath);
    assert.equal(readFileSync(join(victim, "0"), "utf8"), "root's");
    expectUntouched();
  });
});

describe("set-up's record of the packages that it installed", { skip }, () => {
  const directory = mkdtempSync(join("/var/tmp", "gi-record-"));
  after(() => rmSync(directory, { recursive: true, force: true }));
  const data = join(directory, "data");
  const victim = join(directory, "victim");
  const RECORD = `
    set -euo pipefail
    fail() { shift; echo "$*"; exit 1; }
    DATA=$GHOSTINBOX_DATA
    eval "$(sed -n '/^record_packages()/,/^}/p; /^record()/,/^}/p' scripts/setup)"
    record_packages configured configured fresh`;
  const env = { ...process.env, GHOSTINBOX_DATA: data };
  const record = (): string => spawnSync("bash", ["-c", RECORD], { env, encoding: "utf8" }).stdout;

  test("reads and writes through no link that others could have laid", () => {
    mkdirSync(data);
    chmodSync(data, 0o777);
    writeFileSync(victim, "secret\n", { mode: 0o600 });
    for (const name of ["installed-packages", "installed-packages.new"]) symlinkSync(victim, join(data, name));
    record();
    assert.equal(readFileSync(victim, "utf8"), "secret\n");
    assert.ok(lstatSync(join(data, "installed-packages")).isFile());
    assert.equal(readFileSync(join(data, "installed-packages"), "utf8"), "configured configured\nfresh\n");
    assert.equal(lstatSync(data).mode & 0o777, 0o755);
  });

  test("is not written in another user's directory", () => {
    chownSync(data, ATTACKER, ATTACKER);
    assert.match(record(), /data belongs to another user: give it to root/);
  });

  test("set-up does nothing for a directory of all users, whose rights it would have to remove", () => {
    const inTmp = { env: { ...env, GHOSTINBOX_DATA: "/tmp" }, encoding: "utf8" } as const;
    const { status, stdout, stderr } = spawnSync("bash", ["scripts/setup"], inTmp);
    const says = "ghostinbox: /tmp is shared by all users: set GHOSTINBOX_DATA to another directory.\n";
    assert.deepEqual({ status, stdout, stderr }, { status: 1, stdout: "", stderr: says });
    assert.equal(lstatSync("/tmp").mode & 0o7777, 0o1777);
  });
});
