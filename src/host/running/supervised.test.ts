import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { put } from "../../../test/kit/files.ts";
import { installed } from "../../../test/kit/needs.ts";
import { underRunsv } from "../../../test/kit/supervised-process.ts";
import { temporaryDirectory, temporaryLayout } from "../../../test/kit/temporary-directory.ts";
import { until } from "../../../test/kit/until.ts";
import { serviceLog } from "../../settings/layout.ts";
import { pidOf } from "./supervise.ts";
import { lastLogLine, parseStatus, supervised, tail } from "./supervised.ts";

test("a real runsv runs its service, restarts it after its end, and stops it", installed("runsv", "sv"), async (t) => {
  const services = temporaryDirectory();
  mkdirSync(join(services, "web"));
  const now = () => supervised(services, "web");
  assert.equal(now(), null, "no runsv has seen it yet");
  underRunsv(t, join(services, "web"), "exec sleep infinity");
  const pid = () => pidOf(services, "web");
  await until(() => pid() !== null);
  const [first, firstPid] = [now(), pid() ?? 0];
  assert.equal(first?.isStopped, false);
  process.kill(firstPid, "SIGKILL");
  await until(() => pid() !== null && pid() !== firstPid);
  assert.notEqual(now()?.change, first.change);
  spawnSync("sv", ["down", join(services, "web")]);
  await until(() => pid() === null && now()?.isStopped === true);
});

test("an incomplete file is ignored", () => assert.equal(parseStatus(Buffer.alloc(7)), null));

function logOf(text: string) {
  const layout = temporaryLayout();
  const file = serviceLog(layout, "guard");
  put(file, text);
  return { layout, file };
}

test("the last log line is returned without its time", () => {
  const { layout } = logOf("2026-11-21_03:00:00.12345 first\n2026-11-21_03:00:01.12345 engine.db is damaged.\n\n");
  assert.equal(lastLogLine(layout, "guard"), "engine.db is damaged.");
  assert.equal(lastLogLine(layout, "web"), null, "it has written nothing yet");
});

test("after a crash the error is returned, not the end of the stack trace", () => {
  const { layout } = logOf(
    "/x/guard.js:7\n    throw new Error()\n    ^\n\nTypeError: no such thing\n    at f (x.js:1:2)\n\nNode.js v26.1.0\n",
  );
  assert.equal(lastLogLine(layout, "guard"), "TypeError: no such thing");
});

test("reads only the end of a long file, and shows no truncated line", () => {
  const { file } = logOf(`${"x".repeat(20_000)}\nlast\n`);
  assert.deepEqual(tail(file, 5), ["last"]);
  assert.deepEqual(tail(`${file}.none`, 5), []);
});
