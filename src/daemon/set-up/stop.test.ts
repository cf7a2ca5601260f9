import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { layoutOf } from "../../settings/layout.ts";
import { lockHolder } from "./lock.ts";
import { restartServer, stopServer } from "./stop.ts";

const directory = mkdtempSync(join(tmpdir(), "ghostinbox-stop-"));
const layout = layoutOf(directory);
after(() => rmSync(directory, { recursive: true, force: true }));

/** Takes the lock, and neither ends nor starts again. */
const HOLDER = `
  const { takeLock } = await import(process.argv[1]);
  takeLock(process.argv[2], "data");
  process.on("SIGTERM", () => console.log("TERM"));
  console.log("taken");
  setInterval(() => undefined, 60_000);`;

test("a server that is stopped is not stopped again, and does not restart", async () => {
  assert.deepEqual(await stopServer(layout), { ok: true, wasRunning: false });
  assert.deepEqual(await restartServer(layout, []), {
    ok: false,
    reason: "GhostInbox is not running.",
    isRunning: false,
  });
});

test("a start that does not stop in time is named; one of an older version is not killed by a restart", async (t) => {
  const argv = ["--input-type=module", "--eval", HOLDER, import.meta.resolve("./lock.ts"), layout.startPid];
  const child = spawn(process.execPath, argv, { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "close");
  t.after(() => child.kill("SIGKILL"));
  await once(child.stdout, "data");
  const restarted = await restartServer(layout, []);
  assert.ok(!restarted.ok && restarted.isRunning && restarted.reason.includes("knows no restart"));
  const stopped = await stopServer(layout, 200);
  assert.deepEqual(stopped, { ok: false, reason: `The start (pid ${child.pid}) has not ended within 0.2 s.` });
  assert.equal(lockHolder(layout.startPid), child.pid);
  child.kill("SIGKILL");
  await ended;
});
