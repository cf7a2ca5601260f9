// Invariant: Each line of a log becomes an event exactly once, despite rotation, truncation, kills and power failures.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  lchownSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { contentOf, put } from "../../../test/kit/files.ts";
import { afterEachOf, beforeEachOf } from "../../../test/kit/hooks.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { until } from "../../../test/kit/until.ts";
import type { LogPosition } from "../../core/decide/decision.ts";
import { readOr } from "../../core/error.ts";
import { instant } from "../../core/time.ts";
import { isRotated, isRotatedElsewhere, LogFollower, rotatedName } from "./log-follower.ts";

const top = temporaryDirectory();
let tests = 0;
let directory: string;
let file: string;
let taken: string[];
let position: LogPosition | null;
let willing: boolean;
let follower: LogFollower;
/** What another program does after the follower has read the log to its end, before it looks for a rotation. */
let meanwhile: () => void;

beforeEachOf(import.meta.filename, () => {
  directory = join(top, String(++tests));
  file = join(directory, "current");
  taken = [];
  position = null;
  willing = true;
  meanwhile = () => undefined;
  put(file, "from before the first start\n");
  follower = follow();
});
afterEachOf(import.meta.filename, () => follower.stop());

function follow(lingerMs = 0, failed: (why: string) => unknown = assert.fail): LogFollower {
  return new LogFollower({
    get file() {
      meanwhile();
      return file;
    },
    lingerMs,
    from: position,
    take: (lines, reached) => {
      if (!willing) return Promise.resolve(false);
      taken.push(...lines);
      position = reached;
      return Promise.resolve(true);
    },
    failed: (why) => void failed(why),
  });
}

test("a log whose directory cannot be listed is not left open", async () => {
  const open = (fd: string): boolean => readOr(() => readlinkSync(`/proc/self/fd/${fd}`), "") === file;
  let looks = 0;
  follower = follow(0, () => undefined);
  meanwhile = () => {
    if (++looks % 2 === 0) throw new Error("EACCES: permission denied, scandir");
  };
  for (let i = 0; i < 3; i++) await follower.poll();
  meanwhile = () => undefined;
  assert.deepEqual(readdirSync("/proc/self/fd").filter(open), []);
});

/** Appends each text, and lets the follower read after each. */
async function reads(...texts: readonly string[]): Promise<void> {
  for (const text of texts) {
    appendFileSync(file, text);
    await follower.poll();
  }
}

/** The guard restarts, and reads once. */
async function restart(lingerMs?: number): Promise<void> {
  await follower.stop();
  follower = follow(lingerMs);
  await follower.poll();
}

/** Follows a log that syslog would write, from now on. */
async function begin(lingerMs?: number): Promise<void> {
  file = join(directory, "mail.log");
  put(file);
  await restart(lingerMs);
}

/** Rotates mail.log as the keeper does, backdates the old file, and writes a line to the new one. Returns the old file. */
async function moves(time: string, line: string): Promise<string> {
  const part = `${file}.${time}`;
  renameSync(file, part);
  utimesSync(part, 1, 1);
  await reads(`${line}\n`);
  return part;
}

/** Rotates as svlogd(8) does. */
function rotate(name: string): void {
  renameSync(file, join(directory, `@${name}.s`));
  put(file);
}

test("a pipe or another user's link in place of a log is reported once and does not block", async () => {
  const failures: string[] = [];
  const other = follow(0, (why) => failures.push(why));
  rmSync(file);
  execFileSync("mkfifo", [file]);
  await other.poll();
  await other.poll();
  assert.deepEqual(failures, [`${file} is not a regular file: remove it, and let its program write a new one.`]);
  rmSync(file);
  put(file);
  await other.poll();
  rmSync(file);
  symlinkSync("/etc/passwd", file);
  lchownSync(file, 65_534, 65_534);
  await other.poll();
  assert.equal(failures.length, 2);
  await other.stop();
});

test("only lines from after the first start are taken, each whole", async () => {
  await reads("", "one\ntwo\nthr");
  assert.deepEqual(taken, ["one", "two"]);
  await reads("ee\n");
  assert.deepEqual(taken, ["one", "two", "three"]);
});

test("no line is read twice if a power failure took the end of the log, however much came since", async () => {
  await reads("", "one\n");
  const kept = contentOf(file);
  await reads("lost\nand this one too\n");
  for (const since of ["", "three\n", "three, and more than was lost\nfour\n"]) {
    await follower.stop();
    put(file, `${kept}${since}`);
    taken = [];
    const before = position;
    await restart();
    await reads("five\n");
    const last = since.includes("four") ? ["four", "five"] : ["five"];
    assert.deepEqual(taken, last, "lines before the first check cannot be distinguished from lost ones");
    position = before;
  }
});

test("a log that was truncated while the guard was down is read from its start, however long it is now", async () => {
  await reads("", "one\n");
  await follower.stop();
  put(file, `${"another ".repeat(20)}\ntwo\n`);
  await restart();
  assert.deepEqual(taken.slice(-1), ["two"]);
  assert.equal(taken.length, 3);
});

test("a restored log has another inode, and no line of it is read twice", async () => {
  await reads("", "one\n");
  const kept = contentOf(file);
  await reads("two\n");
  for (const restored of [contentOf(file), kept]) {
    await follower.stop();
    put(`${file}.restored`, restored);
    renameSync(`${file}.restored`, file);
    await restart();
    await reads("three\n");
    assert.deepEqual(taken.splice(2), ["three"]);
  }
  await follower.stop();
  put(`${file}.another`, "another start\nfour\n");
  renameSync(`${file}.another`, file);
  await restart();
  assert.deepEqual(taken.splice(2), ["another start", "four"]);
});

test("a log that was rotated while the guard was down is read first, all of it, in order", async () => {
  await reads("", "one\n");
  await follower.stop();
  appendFileSync(file, "two\n");
  rotate("40000000000000000000000a");
  appendFileSync(file, "three\n");
  utimesSync(join(directory, "@40000000000000000000000a.s"), 1, 1);
  rotate("40000000000000000000000b");
  appendFileSync(file, "four\n");
  await restart();
  assert.deepEqual(taken, ["one", "two", "three", "four"]);
});

test("a line written just before the rotation, after the last read, is read", async () => {
  await reads("", "one\n");
  meanwhile = () => {
    meanwhile = () => undefined;
    appendFileSync(file, "two\n");
    rotate("40000000000000000000000a");
  };
  await reads("", "three\n");
  assert.deepEqual(taken, ["one", "two", "three"]);
});

test("while writers switch one after another, the old file is still read", async () => {
  await begin(50);
  await reads("one\n");
  const old = join(directory, "mail.log.20261120-080000");
  renameSync(file, old);
  put(file);
  appendFileSync(old, "two, by a writer that has not changed over\n");
  await reads("");
  appendFileSync(old, "three, by the same\n");
  appendFileSync(file, "four\n");
  await until(() => reads("").then(() => taken.includes("four")), "it has moved on");
  assert.deepEqual(taken, ["one", "two, by a writer that has not changed over", "three, by the same", "four"]);
});

test("a writer that does not switch is read until the next rotation, through restarts, and no line twice", async () => {
  await begin(50);
  await reads("one\n");
  const late = await moves("20261120-080000", "two");
  appendFileSync(late, "three, lat");
  await reads("");
  appendFileSync(late, "e\n");
  await reads("");
  assert.deepEqual(taken, ["one", "two", "three, late"]);
  await follower.stop();
  appendFileSync(late, "four, later\n");
  await restart(50);
  await reads("five\n");
  assert.deepEqual(taken.slice(3).toSorted(), ["five", "four, later"]);
  taken = [];
  const next = await moves("20261121-080000", "six");
  appendFileSync(late, "of a writer that kept it through two rotations\n");
  appendFileSync(next, "seven\n");
  utimesSync(next, 1, 1);
  await moves("20261122-080000", "eight");
  await reads("");
  await restart(50);
  assert.deepEqual(taken, ["six", "seven", "eight"]);
});

test("parts that have long been silent are read one after another without waiting", async () => {
  await begin(60_000);
  for (const n of [1, 2, 3]) {
    const part = `${file}.20261120-08000${n}`;
    appendFileSync(file, `${n}\n`);
    renameSync(file, part);
    utimesSync(part, n, n);
    put(file);
  }
  await reads("4\n");
  assert.deepEqual(taken, ["1", "2", "3", "4"]);
});

test("compressed parts, another log's, and old ones of a copied directory, created after the log, are not read", async () => {
  await begin();
  const old = join(directory, "mail.log.20261119-080000");
  await until(() => {
    rmSync(old, { force: true });
    put(old, "old\n");
    return statSync(old).ctimeMs > statSync(file).ctimeMs;
  }, "it is younger than the log");
  for (const name of ["mail.log.20261121-080000.gz", "other.log.20261121-080000"]) put(join(directory, name), "more\n");
  appendFileSync(file, "one\n");
  await moves("20261120-080000", "two");
  assert.deepEqual(taken, ["one", "two"]);
});

test("a part that was named while the clock was ahead is read once, also after a restart", async () => {
  await begin();
  await reads("one\n");
  await moves("20271126-080000", "two");
  await moves("20261127-080000", "three");
  await restart();
  await moves("20261128-080000", "four");
  renameSync(file, `${file}.20261129-080000`);
  appendFileSync(file, "five\n");
  await moves("20261130-080000", "six");
  assert.deepEqual(taken, ["one", "two", "three", "four", "five", "six"]);
});

test("a file that was truncated and has grown beyond its previous end is read from its start, once", async () => {
  await reads("", "one\n");
  const again = ["another ".repeat(20), "two", "three"];
  put(file, `${again.join("\n")}\n`);
  await reads("");
  assert.deepEqual(taken, ["one", ...again]);
  await restart();
  await reads("four\n");
  assert.deepEqual(taken, ["one", ...again, "four"]);
});

test("lines that were not taken are given again", async () => {
  await reads("");
  willing = false;
  await reads("one\n");
  assert.deepEqual(taken, []);
  willing = true;
  await reads("");
  assert.deepEqual(taken, ["one"]);
});

test("a log that does not exist yet is waited for, and a line without end does not stop it", async () => {
  rmSync(file);
  await follower.poll();
  await reads(`${"x".repeat(300 * 1024)}\nshort\n`);
  assert.equal(taken.at(-1), "short");
  assert.equal(taken.slice(0, -1).join(""), "x".repeat(300 * 1024));
});

test("rotated parts of a log are recognized by their names", () => {
  assert.equal(rotatedName("mail.log", instant(Date.UTC(2026, 10, 20, 8, 15))), "mail.log.20261120-081500");
  for (const name of ["mail.log.20261120-081500", "mail.log.20261120-081500.gz", "mail.log.20261120-081500-2"])
    assert.ok(isRotated(name, "mail.log"), name);
  for (const name of ["mail.log", "fail2ban.log.20261120-081500", "mail.log.bak", "mail.log.20261120-081500.gz.x"])
    assert.ok(!isRotated(name, "mail.log"), name);
  assert.ok(isRotated("@400000006720a1b2c3d4e5f6.s", "current"));
  for (const name of ["lock", "config", "current", "state"]) assert.ok(!isRotated(name, "current"), name);
});

test("uncompressed parts of a log that logrotate rotated are recognized", () => {
  for (const end of [".1", ".12", "-20261120", "-2026112003", "-20261120-1795162500"])
    assert.ok(isRotatedElsewhere(`eve.json${end}`, "eve.json"), end);
  for (const name of ["eve.json", "eve.json.1.gz", "eve.json.bak", "eve.json-x", "xeve.json.1", "eve.json.20261120-08"])
    assert.ok(!isRotatedElsewhere(name, "eve.json"), name);
});
