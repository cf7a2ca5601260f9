import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { lacking } from "../../../test/kit/needs.ts";
import { temporaryLayout } from "../../../test/kit/temporary-directory.ts";
import { until } from "../../../test/kit/until.ts";
import { takeLock } from "../../host/running/data-directory.ts";
import { supervised } from "../../host/running/supervised.ts";
import { serviceLog } from "../../settings/layout.ts";
import { NOT_RUNNING } from "../../surfaces/cli/call.ts";
import { isStarting, whyDown } from "./why-down.ts";

test("without a start nothing runs; with one, the guard's last log line explains why, or that it was stopped", {
  skip: lacking({ installed: ["runsv", "sv"] }),
}, async (t) => {
  const layout = temporaryLayout();
  writeFileSync(layout.settings, "");
  assert.deepEqual(whyDown(layout), NOT_RUNNING);
  const service = join(layout.services, "guard");
  mkdirSync(service, { recursive: true });
  writeFileSync(join(service, "run"), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
  const log = serviceLog(layout, "guard");
  mkdirSync(dirname(log), { recursive: true });
  writeFileSync(log, "2026-11-21_03:00:01.12345 domains is empty. Correct it.\n");
  const runsv = spawn("runsv", [service], { stdio: "ignore" });
  t.after(() => runsv.kill("SIGTERM"));
  await until(() => supervised(layout.services, "guard") !== null);
  assert.deepEqual(whyDown(layout), NOT_RUNNING, "its start was killed: another one works");
  assert.equal(isStarting(layout), false);
  takeLock(layout.startPid, layout.data);
  assert.ok(isStarting(layout));
  utimesSync(layout.startPid, 0, 0);
  assert.ok(isStarting(layout), "only the guard was started again");
  const failing = whyDown(layout);
  assert.match(failing.message, /^The guard does not run: .* Its last log line: domains is empty\. Correct it\.$/);
  assert.match(failing.next, /log\/guard\/current$/);
  assert.equal(failing.exit, "not_running");
  spawnSync("sv", ["down", service]);
  await until(() => !isStarting(layout));
  await until(() => whyDown(layout).next === `Start it with \`sv up ${service}\`.`);
});
