import assert from "node:assert/strict";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { whileLocked } from "./lock-file.ts";

test("a lock file that a killed process left is taken over, and removed", () => {
  const path = join(temporaryDirectory(), "record");
  writeFileSync(`${path}.lock`, "");
  const isLocked = whileLocked(path, () => existsSync(`${path}.lock`));
  assert.ok(isLocked);
  assert.ok(!existsSync(`${path}.lock`));
});

test("a lock that cannot be opened is reported with its name", () => {
  const record = join(temporaryDirectory(), "record");
  const path = `${record}.lock`;
  mkdirSync(path);
  const isNamed = { code: "EISDIR", path, message: `EISDIR: illegal operation on a directory, open '${path}'` };
  assert.throws(() => whileLocked(record, () => undefined), isNamed);
});

test("a failure of flock(1) is not mistaken for another process", (t) => {
  const directory = temporaryDirectory();
  const path = process.env["PATH"];
  t.after(() => (process.env["PATH"] = path));
  process.env["PATH"] = directory;
  const missing = { code: "ENOENT", syscall: "spawnSync flock" };
  assert.throws(() => whileLocked(join(directory, "record"), () => undefined), missing);
});
