import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { lacking } from "../../../test/kit/needs.ts";
import { noteLogLine, underRunsv } from "../../../test/kit/supervised-process.ts";
import { temporaryLayout } from "../../../test/kit/temporary-directory.ts";
import { until } from "../../../test/kit/until.ts";
import { takeLock } from "../../host/running/data-directory.ts";
import { supervised } from "../../host/running/supervised.ts";
import { isStarting, notRunning, whyDown } from "./not-running.ts";

test("says that the server was not started, that the guard was stopped, or why it is down, by its last log line", {
  skip: lacking({ installed: ["runsv", "sv"] }),
}, async (t) => {
  const layout = temporaryLayout();
  writeFileSync(layout.settings, "");
  assert.deepEqual(await whyDown(layout), notRunning(layout));
  const service = join(layout.services, "guard");
  noteLogLine(layout, "guard", "domains is empty. Correct it.");
  underRunsv(t, service, "exit 1");
  await until(() => supervised(layout.services, "guard") !== null);
  assert.deepEqual(await whyDown(layout), notRunning(layout), "its start was killed: another one works");
  assert.equal(isStarting(layout), false);
  takeLock(layout.startPid);
  assert.ok(isStarting(layout));
  utimesSync(layout.startPid, 0, 0);
  assert.ok(isStarting(layout), "only the guard was started again");
  const failing = await whyDown(layout);
  const says =
    /^The guard is not running: nothing is counted .* What else fails: keeper: .* The guard's last log line: domains is empty\. Correct it\.$/;
  assert.match(failing.message, says);
  assert.match(failing.next, /log\/guard\/current$/);
  assert.equal(failing.exit, "not_running");
  spawnSync("sv", ["down", service]);
  await until(() => !isStarting(layout));
  await until(async () => (await whyDown(layout)).next === `Start it with \`sv up ${service}\`.`);
});
