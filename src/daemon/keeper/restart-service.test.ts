import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { lacking } from "../../../test/kit/needs.ts";
import { runProgram } from "../../adapters/machine/run-program.ts";
import { restartService } from "./restart-service.ts";

/** A service under a supervisor of its own, and the process id that it has now. */
async function supervised(t: TestContext, name: string, script: string) {
  const services = mkdtempSync(join(tmpdir(), "ghostinbox-services-"));
  const directory = join(services, name);
  mkdirSync(directory);
  writeFileSync(join(directory, "run"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const supervisor = spawn("runsv", [directory], { stdio: "ignore" });
  t.after(async () => {
    await runProgram("sv", ["-w", "1", "force-shutdown", directory]);
    if (supervisor.exitCode === null) await once(supervisor, "close");
    rmSync(services, { recursive: true });
  });
  const pid = (): string => readFileSync(join(directory, "supervise", "pid"), "utf8").trim();
  const runs = /^run: .* (?:[2-9]|\d\d)s/;
  await t.waitFor(
    async () => assert.match((await runProgram("sv", ["status", directory])).stdout, runs, "it has run for a while"),
    { timeout: 15_000, interval: 100 },
  );
  return { services, pid };
}

const RUNIT = { skip: lacking({ installed: ["runsv", "sv"] }) };
const DEAF = "trap '' TERM; while :; do sleep 0.1; done";
const HEARS = "exec sleep 1000";

test("a service is ended and runs again", RUNIT, async (t) => {
  const { services, pid } = await supervised(t, "web", HEARS);
  const before = pid();
  assert.equal(await restartService("web", { services }, 2), null);
  assert.notEqual(pid(), before);
});

test("one that does not end is told", RUNIT, async (t) => {
  const { services, pid } = await supervised(t, "web", DEAF);
  const before = pid();
  assert.match((await restartService("web", { services }, 1)) ?? "", /timeout: run: .*got TERM/);
  assert.equal(pid(), before);
});

test("Fail2ban, which may hang, is killed then, and runs again", RUNIT, async (t) => {
  const { services, pid } = await supervised(t, "fail2ban", DEAF);
  const before = pid();
  assert.equal(await restartService("fail2ban", { services }, 1), null);
  assert.notEqual(pid(), before);
});
