import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { tmpfs } from "../../../test/kit/mounts.ts";
import { lacking } from "../../../test/kit/needs.ts";
import { failed, hung } from "../../../test/kit/served.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { unlessDiskFull } from "./probe.ts";

const HANGS = hung("gave no answer within 3 s");

test("a result is left unchanged unless it hangs and the disk accepts no file", () => {
  const directory = temporaryDirectory();
  for (const result of [HANGS, { ok: true as const }, failed("hung up")])
    assert.deepEqual(unlessDiskFull(result, directory), result);
});

test("a missing directory explains why cleanup is silent", () => {
  const directory = join(temporaryDirectory(), "none");
  const says = `gave no answer within 3 s while ${directory} cannot be written (ENOENT)`;
  assert.deepEqual(unlessDiskFull(HANGS, directory), failed(says));
});

const MOUNTS = { skip: lacking({ root: true, installed: ["mount"] }) };

test("a full or read-only disk explains why cleanup is silent", MOUNTS, () => {
  using mount = tmpfs(join(temporaryDirectory(), "disk"), "size=2m,nr_inodes=3");
  const disk = mount.path;
  const says = (): string => {
    const found = unlessDiskFull(HANGS, disk);
    return found.ok ? "" : `${found.hangs} ${found.says}`;
  };
  assert.match(says(), /^true/);
  writeFileSync(join(disk, "filler"), Buffer.alloc(1_200_000));
  assert.match(says(), /^false .* while no space is left below /);
  writeFileSync(join(disk, "filler"), "");
  writeFileSync(join(disk, "last"), "");
  assert.match(says(), /^false .* while no inode is left below /);
  rmSync(join(disk, "last"));
  assert.match(says(), /^true/);
  execFileSync("mount", ["-o", "remount,ro", disk]);
  assert.match(says(), /^false .* cannot be written \(EROFS\)/);
});
