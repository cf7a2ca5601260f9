import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { lacking } from "../../../test/kit/needs.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { until } from "../../../test/kit/until.ts";
import { parseStatus, supervised } from "./supervised.ts";

const NEEDED = { skip: lacking({ installed: ["runsv", "sv"] }) };

test("a real runsv: its service runs, runs again after its end, and is stopped", NEEDED, async (t) => {
  const services = temporaryDirectory();
  mkdirSync(join(services, "x"));
  writeFileSync(join(services, "x", "run"), "#!/bin/sh\nexec sleep infinity\n", { mode: 0o755 });
  const now = () => supervised(services, "x");
  assert.equal(now(), null, "no runsv has seen it yet");
  const runsv = spawn("runsv", [join(services, "x")], { stdio: "ignore" });
  t.after(() => runsv.kill("SIGTERM"));
  await until(() => typeof now()?.pid === "number");
  const first = now();
  assert.equal(first?.isStopped, false);
  process.kill(first.pid ?? 0, "SIGKILL");
  await until(() => typeof now()?.pid === "number" && now()?.pid !== first.pid);
  assert.notEqual(now()?.change, first.change);
  spawnSync("sv", ["down", join(services, "x")]);
  await until(() => now()?.pid === null && now()?.isStopped === true);
});

test("half a file is ignored", () => assert.equal(parseStatus(Buffer.alloc(7)), null));
