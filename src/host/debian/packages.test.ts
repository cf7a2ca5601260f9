import assert from "node:assert/strict";
import { mkdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { installed } from "../../../test/kit/needs.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { COMPONENTS, isDpkgBusy, PACKAGE_FILES, packagesState, replacedIn, unfinishedPackages } from "./packages.ts";

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

test("dpkg is busy while its lock is held", () => {
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

test("packages whose installation is unfinished are named", installed("dpkg-query"), async () => {
  const files = dpkg();
  const status = entry("done", "installed") + entry("half", "half-configured") + entry("raw", "unpacked");
  writeFileSync(join(files.directory, "status"), status);
  assert.deepEqual(await unfinishedPackages(["done", "half", "raw", "none"], files), ["half", "raw"]);
  assert.deepEqual(await unfinishedPackages(["dpkg"], PACKAGE_FILES), []);
});

test("set-up installs every package of a component", () => {
  const setUp = readFileSync(join(import.meta.dirname, "../../../scripts/setup"), "utf8");
  for (const name of Object.values(COMPONENTS).flat()) assert.match(setUp, new RegExp(`^${name}\\|`, "m"), name);
});

/** watch-components.test.ts removes a program while it runs. */
test("a process that has ended runs nothing", () => {
  assert.deepEqual(replacedIn(2 ** 30), []);
});
