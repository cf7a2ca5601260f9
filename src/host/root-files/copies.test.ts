import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { chmodSync, linkSync, lstatSync, readdirSync, readFileSync, rmSync, symlinkSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { test } from "node:test";
import { createGzip, gunzipSync } from "node:zlib";
import { anotherDisk, NO_OTHER_DISK } from "../../../test/kit/another-disk.ts";
import { contentOf, modeOf, put } from "../../../test/kit/files.ts";
import { tmpfs } from "../../../test/kit/mounts.ts";
import { lacking } from "../../../test/kit/needs.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import {
  canLink,
  compressFile,
  copyFile,
  copyForeignFile,
  failureOf,
  hashOf,
  linkProgram,
  writeStream,
} from "./copies.ts";
import { Directory } from "./directory.ts";

test("a copy replaces a link, even one left at its temporary name", () => {
  const place = temporaryDirectory();
  const [from, to, victim] = [join(place, "from"), join(place, "to"), join(place, "victim")];
  put(from, "new", 0o600);
  put(victim, "old");
  for (const name of [to, `${to}.new`]) symlinkSync(victim, name);
  copyFile(from, to, 0o644);
  assert.equal(contentOf(to), "new");
  assert.equal(modeOf(to), 0o644);
  assert.equal(contentOf(victim), "old");
  assert.deepEqual(readdirSync(place).toSorted(), ["from", "to", "victim"]);
});

test("another user's file is copied; links and pipes are not", () => {
  const place = temporaryDirectory();
  const at = (name: string): string => join(place, name);
  put(at("mail"), "a mail");
  symlinkSync(at("mail"), at("link"));
  symlinkSync(place, at("behind"));
  execFileSync("mkfifo", [at("pipe")]);
  execFileSync("truncate", ["--size=2G", at("hole")]);
  assert.equal(copyForeignFile(at("mail"), at("to")), true);
  assert.deepEqual([contentOf(at("to")), modeOf(at("to"))], ["a mail", 0o600]);
  rmSync(at("to"));
  for (const name of ["none", "link", "pipe", "hole", "behind"])
    assert.equal(copyForeignFile(at(name), at("to")), false, name);
  assert.deepEqual(readdirSync(place).toSorted(), ["behind", "hole", "link", "mail", "pipe"]);
});

test("links a program only if no other user can change it", () => {
  const place = temporaryDirectory();
  const [program, to] = [join(place, "program"), join(place, "to")];
  put(program, "");
  for (const mode of [0o755, 0o775, 0o757, 0o700]) {
    const linked = mode === 0o755;
    chmodSync(program, mode);
    rmSync(to, { force: true });
    assert.equal(linkProgram(program, to), linked, mode.toString(8));
    assert.deepEqual(readdirSync(place), linked ? ["program", "to"] : ["program"]);
  }
  symlinkSync(program, join(place, "link"));
  assert.equal(linkProgram(join(place, "link"), to), false);
});

test("a compressed file has the owner, mode and time of the one that it replaces", async () => {
  const place = temporaryDirectory();
  const path = join(place, "log");
  put(path, "lines\n".repeat(1_000));
  chmodSync(path, 0o640);
  utimesSync(path, 1_000, 2_000);
  symlinkSync("/etc/passwd", `${path}.half`);
  await compressFile(path, createGzip());
  assert.deepEqual(readdirSync(place), ["log.gz"]);
  const { mode, mtimeMs } = lstatSync(`${path}.gz`);
  assert.deepEqual([mode & 0o777, mtimeMs], [0o640, 2_000_000]);
  assert.equal(gunzipSync(readFileSync(`${path}.gz`)).toString(), "lines\n".repeat(1_000));
});

test("does not compress a symbolic link, or a file with two names", async () => {
  const place = temporaryDirectory();
  const path = join(place, "log");
  symlinkSync("/etc/passwd", path);
  await assert.rejects(compressFile(path, createGzip()), /ELOOP/);
  rmSync(path);
  put(path, "");
  linkSync(path, join(place, "other"));
  await assert.rejects(compressFile(path, createGzip()), /UnsafePath/);
  assert.deepEqual(readdirSync(place).toSorted(), ["log", "other"]);
});

test("a file written from a stream survives a power failure under its name", async (t) => {
  const file = join(temporaryDirectory(), "archive");
  const flushed = t.mock.method(Directory.prototype, "flush");
  await writeStream(file, Readable.from(["text"]), { mode: 0o600, isWhole: () => Promise.resolve(true) });
  assert.equal(contentOf(file), "text");
  assert.equal(flushed.mock.callCount(), 1);
});

const MOUNTS = { skip: lacking({ root: true, installed: ["mount"] }) };

test("a full disk is reported by its code, and no partial file stays", MOUNTS, async () => {
  using disk = tmpfs(join(temporaryDirectory(), "disk"), "size=64k,mode=755");
  const [log, archive] = [join(disk.path, "log"), join(disk.path, "archive")];
  put(log, randomBytes(40_000));
  await assert.rejects(compressFile(log, createGzip()), { code: "ENOSPC", path: log });
  const source = Readable.from([randomBytes(40_000)]);
  const whole = { mode: 0o600, isWhole: () => Promise.resolve(true) };
  await assert.rejects(writeStream(archive, source, whole), { code: "ENOSPC", path: archive });
  assert.deepEqual(readdirSync(disk.path), ["log"]);
});

test("hashes a whole file; links, pipes, directories and missing files have no hash", () => {
  const top = temporaryDirectory();
  const content = "0123456789".repeat(300_000);
  put(join(top, "file"), content);
  symlinkSync("file", join(top, "link"));
  execFileSync("mkfifo", [join(top, "pipe")]);
  assert.equal(hashOf(join(top, "file")), createHash("sha256").update(content).digest("hex"));
  for (const name of ["link", "pipe", "missing", "file/below", "."]) assert.equal(hashOf(join(top, name)), null, name);
});

const ELSEWHERE = anotherDisk();

test("hard links are possible on one mount; the probe leaves nothing behind", () => {
  using a = Directory.open(temporaryDirectory());
  using b = Directory.open(temporaryDirectory());
  assert.ok(canLink(a, b, "x") && canLink(a, a, "x"));
  assert.deepEqual([readdirSync(a.path), readdirSync(b.path)], [[], []]);
});

test("hard links across file systems are impossible", { skip: ELSEWHERE === null && NO_OTHER_DISK }, () => {
  const other = temporaryDirectory(ELSEWHERE ?? "");
  using from = Directory.open(temporaryDirectory());
  using to = Directory.open(other);
  assert.ok(!canLink(from, to, "x"));
  assert.deepEqual(readdirSync(other), []);
});

test("a lack of hard links is explained in one sentence; other errors stay unchanged", () => {
  const failed = (code: string): string => {
    const reported = failureOf(Object.assign(new Error(`${code}: link '/proc/self/fd/7/x'`), { code }), "/srv/mail");
    return reported instanceof Error ? reported.message : "";
  };
  for (const code of ["EPERM", "EOPNOTSUPP", "ENOSYS"])
    assert.match(failed(code), /^Files in \/srv\/mail cannot get hard links \(\w+\), which/);
  assert.equal(failed("ENOSPC"), "ENOSPC: link '/srv/mail'");
});
