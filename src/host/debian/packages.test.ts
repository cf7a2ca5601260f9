import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { lacking } from "../../../test/kit/needs.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { until } from "../../../test/kit/until.ts";
import {
  COMPONENTS,
  isDpkgBusy,
  PACKAGE_FILES,
  packagesState,
  replacedIn,
  unfinishedPackages,
  unpackedAt,
} from "./packages.ts";

function dpkg() {
  const directory = temporaryDirectory();
  mkdirSync(join(directory, "info"));
  const files = { directory, locks: join(directory, "locks") };
  writeFileSync(files.locks, "");
  return files;
}

/** As deb-control(5) has it. */
const entry = (name: string, status: string): string =>
  `Package: ${name}\nStatus: install ok ${status}\nArchitecture: all\nMaintainer: x\nVersion: 1\nDescription: x\n\n`;

test("the state differs after each change", () => {
  const files = dpkg();
  assert.equal(packagesState(files), "");
  writeFileSync(join(files.directory, "status"), "a");
  const before = packagesState(files);
  assert.equal(packagesState(files), before);
  utimesSync(join(files.directory, "status"), 1, 1);
  assert.notEqual(packagesState(files), before);
});

test("dpkg is at work while its lock is held", () => {
  const files = dpkg();
  assert.equal(isDpkgBusy(files), false);
  const lock = join(files.directory, "lock-frontend");
  writeFileSync(lock, "");
  const line = (inode: number): string => `1: POSIX  ADVISORY  WRITE 4711 08:01:${inode} 0 EOF\n`;
  writeFileSync(files.locks, line(1));
  assert.equal(isDpkgBusy(files), false);
  writeFileSync(files.locks, line(1) + line(statSync(lock).ino));
  assert.equal(isDpkgBusy(files), true);
});

test("a package was unpacked when its list was written", () => {
  const files = dpkg();
  assert.equal(unpackedAt("postfix", files), null);
  const list = join(files.directory, "info", "postfix.list");
  writeFileSync(list, "");
  utimesSync(list, 5, 5);
  assert.equal(unpackedAt("postfix", files), 5_000);
});

test("packages that are not finished are named", { skip: lacking({ installed: ["dpkg-query"] }) }, async () => {
  const files = dpkg();
  writeFileSync(
    join(files.directory, "status"),
    entry("done", "installed") + entry("half", "half-configured") + entry("raw", "unpacked"),
  );
  assert.deepEqual(await unfinishedPackages(["done", "half", "raw", "none"], files), ["half", "raw"]);
  assert.deepEqual(await unfinishedPackages(["dpkg"], PACKAGE_FILES), []);
});

test("every package of a component is one that set-up installs", () => {
  const setUp = readFileSync(join(import.meta.dirname, "../../../scripts/setup"), "utf8");
  for (const name of Object.values(COMPONENTS).flat()) assert.match(setUp, new RegExp(`^${name}\\|`, "m"), name);
});

test("a program that was removed while it runs is named, one that is there is not", async (t) => {
  // Deleted files below /dev are shared memory, and tests may keep their files there.
  const directory = temporaryDirectory("/var/tmp");
  const program = join(directory, "sleeper");
  copyFileSync("/bin/sleep", program);
  const child = spawn(program, ["1000"], { stdio: "ignore" });
  t.after(() => child.kill("SIGKILL"));
  await once(child, "spawn");
  const pid = child.pid ?? 0;
  // Its code is mapped shortly after it starts (execve(2)).
  await until(() => readFileSync(`/proc/${pid}/maps`, "utf8").includes(program));
  assert.deepEqual(replacedIn(pid), []);
  rmSync(program);
  assert.deepEqual(replacedIn(pid), [program]);
});

test("a process that has ended runs nothing", () => {
  assert.deepEqual(replacedIn(2 ** 30), []);
});
