import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { temporaryDirectory } from "../../../../test/kit/temporary-directory.ts";
import { StoppedWatch } from "./watch-parts.ts";

const EVERY_MS = 5_000;

/** A program under this name, as runsv(8) would note it. */
async function supervised(t: TestContext, at: string, name: string): Promise<ChildProcess> {
  const program = join(temporaryDirectory(), name);
  copyFileSync("/bin/sleep", program);
  const child = spawn(program, ["60"], { stdio: "ignore" });
  t.after(() => child.kill("SIGKILL"));
  await once(child, "spawn");
  mkdirSync(at, { recursive: true });
  writeFileSync(join(at, "pid"), `${child.pid}\n`);
  return child;
}

async function isIn(state: string, { pid }: ChildProcess, t: TestContext): Promise<void> {
  await t.waitFor(() => assert.match(readFileSync(`/proc/${pid}/stat`, "utf8"), new RegExp(`\\) ${state} `)));
}

test("a stopped program is reported at the second check, until it continues; one that writes a log is continued", async (t) => {
  const services = temporaryDirectory();
  const web = await supervised(t, join(services, "web", "supervise"), "web (one)");
  const writer = await supervised(t, join(services, "web", "log", "supervise"), "svlogd");
  const said: string[] = [];
  const proceeded: number[] = [];
  const watch = new StoppedWatch({
    services,
    proceed: (pid) => {
      proceeded.push(pid);
      process.kill(pid, "SIGCONT");
    },
    say: (what) => said.push(what),
  });
  watch.look(0);
  for (const child of [web, writer]) child.kill("SIGSTOP");
  for (const child of [web, writer]) await isIn("T", child, t);
  watch.look(EVERY_MS);
  watch.look(EVERY_MS + 1_000);
  assert.deepEqual(watch.troubles(), [], "a moment is not reported");
  watch.look(2 * EVERY_MS);
  const [reported] = watch.troubles();
  assert.equal(reported?.code, "process_stopped");
  for (const child of [web, writer]) assert.ok(reported.detail.includes(`(pid ${child.pid})`), reported.detail);
  assert.match(reported.detail, /Try: kill -CONT \d+ \d+$/);
  for (const looks of [3, 4]) watch.look(looks * EVERY_MS);
  assert.deepEqual(proceeded, [writer.pid]);
  assert.deepEqual(said, [`svlogd (pid ${writer.pid}) was stopped by a signal: it is continued.`]);
  await isIn("S", writer, t);
  watch.look(5 * EVERY_MS);
  assert.deepEqual(
    watch.troubles().map(({ detail: left }) => left),
    [`web (one) (pid ${web.pid}). Try: kill -CONT ${web.pid}`],
  );
  web.kill("SIGCONT");
  await isIn("S", web, t);
  watch.look(6 * EVERY_MS);
  assert.deepEqual(watch.troubles(), []);
});

test("other users' programs are ignored", async (t) => {
  const other = await supervised(t, join(temporaryDirectory(), "supervise"), "other");
  const watch = new StoppedWatch({
    services: temporaryDirectory(),
    proceed: () => assert.fail(),
    say: () => assert.fail(),
  });
  other.kill("SIGSTOP");
  await isIn("T", other, t);
  for (const looks of [1, 2, 3, 4, 5]) watch.look(looks * EVERY_MS);
  assert.deepEqual(watch.troubles(), []);
});
