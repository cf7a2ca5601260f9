import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { lacking } from "../../../test/kit/needs.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import type { ProbeResult } from "../../core/alerts/probe-record.ts";
import { unlessDiskFull } from "./probe.ts";

const HANGS: ProbeResult = { ok: false, hangs: true, says: "gave no answer within 3 s" };

function run(...argv: readonly string[]): void {
  const [program = "", ...args] = argv;
  const { status, stderr } = spawnSync(program, args, { encoding: "utf8" });
  assert.equal(status, 0, stderr);
}

test("a disk that works, or does not hang, is left unchanged, and so is one that hangs where files can be made", () => {
  const directory = temporaryDirectory();
  for (const result of [HANGS, { ok: true }, { ok: false, hangs: false, says: "hung up" }] satisfies ProbeResult[])
    assert.deepEqual(unlessDiskFull(result, directory), result);
});

test("where the directory is gone, cleanup does not hang", () => {
  const directory = join(temporaryDirectory(), "none");
  assert.deepEqual(unlessDiskFull(HANGS, directory), {
    ok: false,
    hangs: false,
    says: `gave no answer within 3 s while ${directory} cannot be written (ENOENT)`,
  });
});

const MOUNTS = { skip: lacking({ root: true, installed: ["mount"] }) };

test("nor where space or inodes are used up, or the disk is read-only", MOUNTS, () => {
  const disk = join(temporaryDirectory(), "disk");
  mkdirSync(disk);
  run("mount", "-t", "tmpfs", "-o", "size=2m,nr_inodes=3", "tmpfs", disk);
  const says = (): string => {
    const found = unlessDiskFull(HANGS, disk);
    return found.ok ? "" : `${found.hangs} ${found.says}`;
  };
  try {
    assert.match(says(), /^true/);
    writeFileSync(join(disk, "filler"), Buffer.alloc(1_200_000));
    assert.match(says(), /^false .* while no space is left below /);
    writeFileSync(join(disk, "filler"), "");
    writeFileSync(join(disk, "last"), "");
    assert.match(says(), /^false .* while no inode is left below /);
    rmSync(join(disk, "last"));
    assert.match(says(), /^true/);
    run("mount", "-o", "remount,ro", disk);
    assert.match(says(), /^false .* cannot be written \(EROFS\)/);
  } finally {
    run("umount", disk);
  }
});
