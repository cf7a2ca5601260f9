import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { runProgram } from "../../src/host/machine/run-program.ts";
import type { ServiceName } from "../../src/host/running/runit.ts";
import { pidFile } from "../../src/host/running/supervise.ts";
import { type Layout, serviceLog } from "../../src/settings/layout.ts";
import { patience } from "./patience.ts";

/** Notes the process of a service, as runsv(8) does. `startedAt`: in seconds, if not now. */
export function noteProcess(services: string, service: ServiceName, pid: number | undefined, startedAt?: number): void {
  const file = pidFile(services, service);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${pid}\n`);
  if (startedAt !== undefined) utimesSync(file, startedAt, startedAt);
}

/** Writes the only line of a service's log, as svlogd(8) does. */
export function noteLogLine(layout: Layout, service: ServiceName, line: string): void {
  const file = serviceLog(layout, service);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `2026-11-21_03:00:01.12345 ${line}\n`);
}

/** Runs a service in this directory under a real runsv(8) until the test ends. */
export function underRunsv(t: TestContext, directory: string, script: string): void {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, "run"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const runsv = spawn("runsv", [directory], { stdio: "ignore" });
  t.after(async () => {
    const ended = once(runsv, "exit");
    if (runsv.kill("SIGTERM")) await ended;
  });
}

/** sv(8) mistakes a younger process for one that it has restarted. */
export async function hasRunForAWhile(t: TestContext, directory: string): Promise<void> {
  const runs = /^run: .* (?:[2-9]|\d\d)s/;
  await t.waitFor(async () => assert.match((await runProgram("sv", ["status", directory])).stdout, runs), {
    timeout: patience(15_000),
    interval: 100,
  });
}
