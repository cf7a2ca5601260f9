import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { layoutOf } from "../../settings/layout.ts";
import { lockHolder } from "./data-directory.ts";
import { restartServer, stopServer } from "./stop.ts";

const directory = temporaryDirectory();
const layout = layoutOf(directory);

/** Takes the lock, and then neither ends nor starts again. */
const HOLDER = `
  import { readFileSync, writeFileSync } from "node:fs";
  const { takeLock } = await import(process.argv[1]);
  takeLock(process.argv[2]);
  process.on("SIGTERM", () => console.log("TERM"));
  if (process.argv[3] === "restarts")
    process.on("SIGUSR2", () => writeFileSync(process.argv[2], readFileSync(process.argv[2], "utf8") + "\\n"));
  console.log("taken");
  setInterval(() => undefined, 60_000);`;

async function holder(t: TestContext, ...how: readonly string[]) {
  const argv = ["--input-type=module", "--eval", HOLDER, import.meta.resolve("./data-directory.ts"), layout.startPid];
  const child = spawn(process.execPath, [...argv, ...how], { stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => child.kill("SIGKILL"));
  await once(child.stdout, "data");
  return child;
}

test("stops nothing in another program's directory, even if programs run from it", async (t) => {
  const top = temporaryDirectory();
  mkdirSync(join(top, "program"));
  cpSync("/bin/sleep", join(top, "program", "node"));
  const child = spawn(join(top, "program", "node"), ["600"]);
  t.after(() => child.kill("SIGKILL"));
  await once(child, "spawn");
  const reason = (path: string): string =>
    `${path} holds other programs' files and no ghostinbox.toml, so no program there is stopped.`;
  assert.deepEqual(await stopServer(layoutOf(top)), { ok: false, reason: reason(top) });
  assert.deepEqual(await stopServer(layoutOf("/bin/sleep")), { ok: false, reason: reason("/bin/sleep") });
  assert.equal(child.exitCode ?? child.signalCode, null);
});

test("a restarted server that is not ready yet is not reported as a failed restart", async (t) => {
  const child = await holder(t, "restarts");
  const restarted = await restartServer(layout, [], 100);
  assert.ok(!restarted.ok && restarted.isRunning && restarted.isNew, JSON.stringify(restarted));
  child.kill("SIGKILL");
  await once(child, "close");
});

test("a start that ends while it is told to restart is reported as stopped", async (t) => {
  const child = await holder(t, "restarts");
  const closed = once(child, "close");
  t.mock.method(process, "kill", () => {
    child.kill("SIGKILL");
    throw new Error("kill ESRCH");
  });
  const restarted = await restartServer(layout, [], 100);
  assert.ok(!restarted.ok && !restarted.isRunning, JSON.stringify(restarted));
  assert.match(restarted.reason, /^It stopped and did not start again: /);
  await closed;
});

test("a start that does not stop in time is reported; a restart does not kill one of an older version", async (t) => {
  const child = await holder(t);
  const restarted = await restartServer(layout, []);
  assert.ok(!restarted.ok && restarted.isRunning && restarted.reason.includes("cannot restart"));
  const stopped = await stopServer(layout, 200);
  assert.deepEqual(stopped, { ok: false, reason: `The server (pid ${child.pid}) did not stop within 0.2 s.` });
  assert.equal(lockHolder(layout.startPid), child.pid);
});
