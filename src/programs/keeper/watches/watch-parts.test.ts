import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { HandClock } from "../../../../test/kit/engine-kit.ts";
import { contentOf, put } from "../../../../test/kit/files.ts";
import { patience } from "../../../../test/kit/patience.ts";
import { noteProcess } from "../../../../test/kit/supervised-process.ts";
import { temporaryDirectory } from "../../../../test/kit/temporary-directory.ts";
import type { ProbeResult } from "../../../core/alerts/probe-record.ts";
import { MINUTE_MS } from "../../../core/time.ts";
import type { ServiceName } from "../../../host/running/runit.ts";
import type { Probe } from "./probes.ts";
import { createPartsWatch, createStoppedWatch, measureStarvation } from "./watch-parts.ts";

const HANGS: ProbeResult = { ok: false, hangs: true, says: "gave no answer within 3 s" };

/** A supervisor's directory with these services, which have run for a while. Their probes return `results`, or else `usual`. */
function setUp(t: TestContext, names: readonly ServiceName[], usual: ProbeResult = { ok: true }) {
  let nowMs = 0;
  t.mock.method(performance, "now", () => nowMs);
  const services = temporaryDirectory();
  const clock = new HandClock();
  const results = new Map<ServiceName, ProbeResult>();
  const asked: ServiceName[] = [];
  const restarted: ServiceName[] = [];
  const said: string[] = [];
  const kit = { restart: (): Promise<string | null> => Promise.resolve(null), isStarved: false };
  const probes = names.map((service): Probe => {
    noteProcess(services, service, process.pid, 1_000);
    const check = (): Promise<ProbeResult> => {
      asked.push(service);
      return Promise.resolve(results.get(service) ?? usual);
    };
    const notice = service === "unbound" ? "resolver_silent" : "spam_filter_down";
    return { name: `The ${service}`, service, notice, everyMs: 5_000, timeoutMs: 3_000, check };
  });
  const watch = createPartsWatch({
    services,
    probes,
    clock,
    restart: (service) => {
      restarted.push(service);
      return kit.restart();
    },
    starvation: () => () => kit.isStarved,
    say: (what) => said.push(what),
  });
  /** This many seconds of the keeper's loop. */
  const pass = async (seconds: number): Promise<void> => {
    for (let i = 0; i < seconds; i++) {
      nowMs += 1_000;
      clock.advance(1_000);
      watch.look();
      for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    }
  };
  const codes = (): readonly string[] => watch.troubles().map(({ code }) => code);
  return { services, results, asked, restarted, said, kit, watch, codes, pass, clock, probes };
}

test("each part is probed at its interval, and sooner after a failure", async (t) => {
  const { asked, results, pass } = setUp(t, ["unbound"]);
  await pass(11);
  assert.equal(asked.length, 3);
  results.set("unbound", HANGS);
  await pass(5);
  asked.length = 0;
  await pass(9);
  assert.equal(asked.length, 3);
});

test("a part that failed twice is reported with its time and a command; parts of one notice together; a success ends it", async (t) => {
  const { services, results, pass, watch, clock } = setUp(t, ["unbound", "spamd", "spamass-milter"]);
  const start = clock.now();
  await pass(5);
  for (const service of ["spamd", "spamass-milter"] as const) results.set(service, HANGS);
  await pass(2);
  assert.deepEqual(watch.troubles(), [], "one failure");
  await pass(3);
  const since = new Date(start + 6_000).toISOString();
  const detail =
    `The spamd gave no answer within 3 s, since ${since}. The spamass-milter gave no answer within 3 s, since ${since}. ` +
    `Try: sv restart ${join(services, "spamd")} ${join(services, "spamass-milter")}`;
  assert.deepEqual(watch.troubles(), [{ code: "spam_filter_down", detail }]);
  assert.equal(watch.silenceOf("spamd").silence?.isBeyondHelp, false);
  results.clear();
  await pass(3);
  assert.deepEqual(watch.troubles(), []);
  assert.deepEqual(watch.silenceOf("spamd"), {});
});

test("a part that hangs for half a minute is restarted once, and counts as down if it still hangs", async (t) => {
  const { pass, watch, restarted, said } = setUp(t, ["unbound"], HANGS);
  await pass(29);
  assert.deepEqual(restarted, []);
  await pass(4);
  assert.deepEqual(restarted, ["unbound"]);
  assert.match(said.join(), /^The unbound gave no answer within 3 s: unbound was restarted\.$/);
  assert.equal(watch.silenceOf("unbound").silence?.isBeyondHelp, false);
  await pass(20);
  assert.equal(watch.silenceOf("unbound").silence?.isBeyondHelp, true);
  assert.match(watch.troubles()[0]?.detail ?? "", /; a restart has not helped\. Try: /);
  await pass((9 * MINUTE_MS) / 1_000);
  assert.equal(restarted.length, 1);
  await pass(60);
  assert.equal(restarted.length, 2);
});

test("a silent part is not restarted while programs wait for a processor", async (t) => {
  const { pass, watch, restarted, kit } = setUp(t, ["unbound"], HANGS);
  kit.isStarved = true;
  await pass((5 * MINUTE_MS) / 1_000);
  assert.match(watch.troubles()[0]?.detail ?? "", /within 3 s while programs wait for a processor, since /);
  assert.equal(watch.silenceOf("unbound").silence?.isBeyondHelp, false);
  assert.deepEqual(restarted, []);
  kit.isStarved = false;
  await pass(20);
  assert.deepEqual(restarted, ["unbound"]);
});

test("a part that has just started gets time, unless it has answered already", async (t) => {
  const { services, results, pass, codes, clock } = setUp(t, ["unbound", "spamd"]);
  const start = clock.now() / 1_000;
  for (const service of ["unbound", "spamd"] as const) noteProcess(services, service, process.pid, start);
  results.set("unbound", HANGS);
  await pass(3);
  results.set("spamd", HANGS);
  await pass(9);
  assert.deepEqual(codes(), ["spam_filter_down"]);
  await pass(8);
  assert.equal(codes().length, 2);
});

for (const [how, restart] of [
  ["fails", () => Promise.resolve("no space left on device")],
  ["throws", () => Promise.reject(new Error("no space left on device"))],
] as const)
  test(`a restart that ${how} stops nothing else: it is reported and retried`, async (t) => {
    const { pass, kit, said, restarted } = setUp(t, ["unbound"], HANGS);
    kit.restart = restart;
    await pass(40);
    assert.match(said.join(), /unbound could not be restarted: no space left on device$/);
    await pass((10 * MINUTE_MS) / 1_000);
    assert.equal(restarted.length, 2);
  });

test("a part with a wrong answer is not restarted, nor one that does not run; both are reported", async (t) => {
  const { services, results, pass, restarted, watch } = setUp(t, ["unbound", "spamd"]);
  results.set("unbound", { ok: false, hangs: false, says: "hung up" });
  results.set("spamd", HANGS);
  writeFileSync(join(services, "spamd", "supervise", "pid"), "");
  await pass(60);
  assert.deepEqual(restarted, []);
  assert.equal(watch.troubles().length, 2);
  assert.equal(watch.silenceOf("unbound").silence?.isBeyondHelp, true);
});

test("a service disabled in the settings is not probed, and is forgotten", async (t) => {
  const { services, pass, asked, watch } = setUp(t, ["unbound"], HANGS);
  await pass(10);
  assert.equal(watch.troubles().length, 1);
  rmSync(join(services, "unbound"), { recursive: true });
  await pass(5);
  asked.length = 0;
  await pass(10);
  assert.deepEqual([asked, watch.troubles()], [[], []]);
});

test("after a change of the settings a part keeps its state, and one no longer probed is forgotten", async (t) => {
  const { pass, watch, probes } = setUp(t, ["unbound"], HANGS);
  await pass(10);
  const reported = watch.troubles();
  assert.equal(reported.length, 1);
  watch.use(probes);
  assert.deepEqual(watch.troubles(), reported);
  watch.use([]);
  assert.deepEqual(watch.troubles(), []);
});

const EVERY_MS = 5_000;
const SOON = { timeout: patience(10_000) };

/** A program under this name, as runsv(8) would note it. */
async function supervised(t: TestContext, at: string, name: string): Promise<ChildProcess> {
  const program = join(temporaryDirectory(), name);
  copyFileSync("/bin/sleep", program);
  const child = spawn(program, ["60"], { stdio: "ignore" });
  t.after(() => child.kill("SIGKILL"));
  await once(child, "spawn");
  put(join(at, "pid"), `${child.pid}\n`);
  return child;
}

function childrenOf({ pid }: ChildProcess): readonly string[] {
  return contentOf(`/proc/${pid}/task/${pid}/children`).split(" ").filter(Boolean);
}

async function isIn(state: string, { pid }: ChildProcess, t: TestContext): Promise<void> {
  await t.waitFor(() => assert.match(contentOf(`/proc/${pid}/stat`), new RegExp(`\\) ${state} `)), SOON);
}

test("programs that share one processor wait for it; one that sleeps does not", async (t) => {
  const services = temporaryDirectory();
  await supervised(t, join(services, "web", "supervise"), "web");
  const isStarved = measureStarvation(services);
  await pause(500);
  assert.equal(isStarved(), false);
  const loops = "while :; do :; done & while :; do :; done & exec sleep 60";
  const busy = spawn("taskset", ["-c", "0", "sh", "-c", loops], { stdio: "ignore", detached: true });
  t.after(() => process.kill(-(busy.pid ?? 0), "SIGKILL"));
  await once(busy, "spawn");
  noteProcess(services, "unbound", busy.pid);
  await t.waitFor(() => assert.equal(childrenOf(busy).length, 2), SOON);
  // The kernel counts a wait when it ends, which may be after the measurement while other programs compute.
  await t.waitFor(async () => {
    const isStarvedNow = measureStarvation(services);
    await pause(500);
    assert.equal(isStarvedNow(), true);
  }, SOON);
});

test("a stopped program is reported at the second check, until it continues; one that writes a log is continued", async (t) => {
  const services = temporaryDirectory();
  const web = await supervised(t, join(services, "web", "supervise"), "web (one)");
  const writer = await supervised(t, join(services, "web", "log", "supervise"), "svlogd");
  const said: string[] = [];
  const proceeded: number[] = [];
  const proceed = (pid: number): void => {
    proceeded.push(pid);
    process.kill(pid, "SIGCONT");
  };
  const watch = createStoppedWatch(services, proceed, (what) => said.push(what));
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
  const detail = `web (one) (pid ${web.pid}). Try: kill -CONT ${web.pid}`;
  assert.deepEqual(watch.troubles(), [{ code: "process_stopped", detail }]);
  web.kill("SIGCONT");
  await isIn("S", web, t);
  watch.look(6 * EVERY_MS);
  assert.deepEqual(watch.troubles(), []);
});

test("other users' programs are ignored", async (t) => {
  const other = await supervised(t, join(temporaryDirectory(), "supervise"), "other");
  const never = (): never => assert.fail();
  const watch = createStoppedWatch(temporaryDirectory(), never, never);
  other.kill("SIGSTOP");
  await isIn("T", other, t);
  for (const looks of [1, 2, 3, 4, 5]) watch.look(looks * EVERY_MS);
  assert.deepEqual(watch.troubles(), []);
});
