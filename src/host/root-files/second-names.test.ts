import assert from "node:assert/strict";
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { anotherDisk, NO_OTHER_DISK } from "../../../test/kit/another-disk.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { canLink, failureOf } from "./copies.ts";
import { Directory } from "./directory.ts";

const top = temporaryDirectory();
const ELSEWHERE = anotherDisk();

test("a second name is possible on one mount; the trial leaves nothing", () => {
  for (const name of ["a", "b"]) mkdirSync(join(top, name));
  using a = Directory.open(join(top, "a"));
  using b = Directory.open(join(top, "b"));
  assert.ok(canLink(a, b, "x") && canLink(a, a, "x"));
  assert.deepEqual([readdirSync(a.path), readdirSync(b.path)], [[], []]);
});

test("it is not from one file system to another", {
  skip: ELSEWHERE === null && NO_OTHER_DISK,
}, () => {
  const other = temporaryDirectory(ELSEWHERE ?? "");
  using from = Directory.open(top);
  using to = Directory.open(other);
  assert.ok(!canLink(from, to, "x"));
  assert.deepEqual(readdirSync(other), []);
});

test("a file system without hard links gets one sentence; other errors stay unchanged", () => {
  const failed = (code: string): string => {
    const reported = failureOf(Object.assign(new Error(`${code}: link '/proc/self/fd/7/x'`), { code }), "/srv/mail");
    return reported instanceof Error ? reported.message : "";
  };
  for (const code of ["EPERM", "EOPNOTSUPP", "ENOSYS"])
    assert.match(failed(code), /^Files in \/srv\/mail cannot get second names \(hard links: \w+\), which/);
  assert.equal(failed("ENOSPC"), "ENOSPC: link '/srv/mail'");
});
