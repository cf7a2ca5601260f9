import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { hashOf } from "./copies.ts";

test("a file is hashed whole; links, pipes, directories and what is not there are none", () => {
  const top = temporaryDirectory();
  const content = "0123456789".repeat(300_000);
  writeFileSync(join(top, "file"), content);
  symlinkSync("file", join(top, "link"));
  execFileSync("mkfifo", [join(top, "pipe")]);
  assert.equal(hashOf(join(top, "file")), createHash("sha256").update(content).digest("hex"));
  for (const name of ["link", "pipe", "missing", "file/below", "."]) assert.equal(hashOf(join(top, name)), null, name);
});
