import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { until } from "../../../test/kit/until.ts";
import { replacedIn } from "./packages.ts";

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
