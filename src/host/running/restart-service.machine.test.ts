import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { installed } from "../../../test/kit/needs.ts";
import { patience } from "../../../test/kit/patience.ts";
import { hasRunForAWhile } from "../../../test/kit/supervised-process.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { layoutOf } from "../../settings/layout.ts";
import { runProgram } from "../machine/run-program.ts";
import { finishRestarts, restartHanging, restartMark, restartService } from "./supervise.ts";

/** A service under a separate supervisor, and its current process id. */
async function supervised(t: TestContext, name: string, script: string) {
  const { data, services } = layoutOf(mkdtempSync(join(tmpdir(), "ghostinbox-services-")));
  const directory = join(services, name);
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, "run"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const supervisor = spawn("runsv", [directory], { stdio: "ignore" });
  t.after(async () => {
    await runProgram("sv", ["-w", "1", "force-shutdown", directory]);
    if (supervisor.exitCode === null) await once(supervisor, "close");
    rmSync(data, { recursive: true });
  });
  const pid = (): string => readFileSync(join(directory, "supervise", "pid"), "utf8").trim();
  await hasRunForAWhile(t, directory);
  return { data, services, pid };
}

const RUNIT = installed("runsv", "sv");
const DEAF = "trap '' TERM; while :; do sleep 0.1; done";
const HEARS = "exec sleep 1000";

for (const [what, service, script] of [
  ["a service is ended", "web", HEARS],
  ["Fail2ban, which may hang, is killed after the time limit", "fail2ban", DEAF],
] as const)
  test(`${what}, and runs again`, RUNIT, async (t) => {
    const { services, pid } = await supervised(t, service, script);
    const before = pid();
    assert.equal(await restartService(service, { services }, 2), null);
    assert.notEqual(pid(), before);
  });

test("a service that does not end is reported", RUNIT, async (t) => {
  const { services, pid } = await supervised(t, "web", DEAF);
  const before = pid();
  assert.match((await restartService("web", { services }, 1)) ?? "", /timeout: run: .*got TERM/);
  assert.equal(pid(), before);
});

test("the next keeper starts a service that a killed one stopped, but none that root stopped", RUNIT, async (t) => {
  const { data, services, pid } = await supervised(t, "postfix", DEAF);
  // The service cannot end, so that the keeper waits for it.
  const program = `import { restartHanging } from ${JSON.stringify(join(import.meta.dirname, "supervise.ts"))};
  await restartHanging("postfix", ${JSON.stringify({ data, services })}, 30);`;
  const keeper = spawn(process.execPath, ["--input-type=module", "-e", program], { stdio: "ignore" });
  const isDown = /want down/;
  const status = async () => (await runProgram("sv", ["status", join(services, "postfix")])).stdout;
  await t.waitFor(async () => assert.match(await status(), isDown), { timeout: patience(15_000), interval: 50 });
  keeper.kill("SIGKILL");
  await once(keeper, "close");
  await runProgram("sv", ["kill", join(services, "postfix")]);
  await t.waitFor(async () => assert.match(await status(), /^down: /), { timeout: patience(15_000), interval: 50 });
  assert.deepEqual(await finishRestarts({ services }, 5), ["postfix"]);
  assert.notEqual(pid(), "");
  await runProgram("sv", ["-w", "0", "down", join(services, "postfix")]);
  assert.deepEqual(await finishRestarts({ services }, 5), []);
  // On a slow machine the signal may arrive before the service ignores it.
  assert.match(await status(), /want down|^down: /);
});

test("a service that stays down is not reported as started, and the next keeper tries again", RUNIT, async () => {
  const services = temporaryDirectory();
  mkdirSync(join(services, "web"));
  writeFileSync(restartMark(services, "web"), "");
  assert.deepEqual(await finishRestarts({ services }, 1), []);
  assert.ok(existsSync(restartMark(services, "web")));
});

test("a mark that cannot be stored prevents neither a restart nor the next keeper's start", RUNIT, async (t) => {
  const { data, services, pid } = await supervised(t, "web", HEARS);
  // Root can write a read-only file, but cannot replace a directory: as on a full disk, the mark stays unchanged.
  mkdirSync(restartMark(services, "web"));
  const before = pid();
  assert.equal(await restartHanging("web", { data, services }, 2), null);
  assert.notEqual(pid(), before);
  assert.deepEqual(await finishRestarts({ services }, 2), ["web"]);
});
