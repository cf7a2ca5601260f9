import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { HandClock, NoticeBoard } from "../../../test/kit/engine-kit.ts";
import { FakeFirewall, MemoryBanLog } from "../../../test/kit/fake-firewall.ts";
import { type Prefix, parsePrefix } from "../../core/net/ip.ts";
import { later } from "../../core/time.ts";
import type { Outcome } from "../ports.ts";
import { createEnforcer, type Enforcer, noEnforcement } from "./enforce.ts";

let firewall: FakeFirewall;
let banLog: MemoryBanLog;
let clock: HandClock;
let notices: NoticeBoard;
let warned: (readonly unknown[])[];
let enforcer: Enforcer;

beforeEach(() => {
  firewall = new FakeFirewall();
  banLog = new MemoryBanLog();
  clock = new HandClock();
  notices = new NoticeBoard();
  warned = [];
  const log = { info: assert.fail, warn: (...what: readonly unknown[]) => void warned.push(what), error: assert.fail };
  enforcer = createEnforcer({ banLog, firewall, allowList: () => [], clock, notices, log });
});
afterEach(() => enforcer.stop());

function ban(count: number, from = 0): void {
  for (let i = 0; i < count; i++) banLog.add(address(from + i));
  enforcer.nudge();
}

test("two thousand bans reach the kernel at once, and a thousand sessions are cut at once", async () => {
  await enforcer.start();
  ban(2_001);
  await until(() => firewall.cuts.length === 2_001);
  assert.deepEqual(
    firewall.calls.filter((call) => call !== "cut"),
    ["reset", "apply", "apply"],
  );
  assert.deepEqual(firewall.cutSizes, [1_000, 1_000, 1]);
});

test("of each batch the last 256 bans are read back, if they stand for three seconds more", async () => {
  await enforcer.start();
  ban(299);
  banLog.add(address(299), later(clock.now(), 3_001));
  banLog.add(address(300), later(clock.now(), 3_000));
  banLog.add(address(301));
  banLog.delete(address(301));
  enforcer.nudge();
  await until(() => firewall.readBack.length === 1);
  const [asked = []] = firewall.readBack;
  assert.deepEqual([asked.length, asked[0], asked.at(-1)], [256, address(44), address(299)]);
});

test("only bans are cut, and sessions that stay open are logged once for each reason", async () => {
  await enforcer.start();
  banLog.delete(address(1));
  enforcer.nudge();
  await until(() => firewall.readBack.length === 1);
  assert.deepEqual([firewall.cutSizes, warned], [[], []]);
  const open = (reason: string) => ["Sessions of banned addresses stay open.", { reason }];
  const reasons = ["no ss", "no ss", "no conntrack", null, "no conntrack"];
  for (const [i, reason] of reasons.entries()) {
    firewall.cutting = () => Promise.resolve(reason === null ? { ok: true } : { ok: false, reason });
    ban(1, 10 + i);
    await until(() => firewall.readBack.length === i + 2);
  }
  assert.deepEqual(warned, [open("no ss"), open("no conntrack"), open("no conntrack")]);
});

test("cutting that breaks is logged, and the sessions of the next ban are cut", async () => {
  await enforcer.start();
  firewall.cutting = () => Promise.reject(new Error("the pipe broke"));
  ban(1);
  await until(() => warned.length === 1);
  assert.deepEqual(warned, [["Sessions of banned addresses stay open.", { reason: "the pipe broke" }]]);
  firewall.cutting = () => Promise.resolve({ ok: true });
  ban(1, 1);
  await until(() => firewall.cuts.length === 2);
});

test("what the kernel does not hold is logged with the reason, and held after that", async () => {
  await enforcer.start();
  firewall.losing.push(address(1));
  ban(2);
  await until(() => firewall.held.has(address(1)));
  assert.deepEqual(warned, [
    ["The kernel lacks a ban that it was given; the firewall is made anew.", { reason: "nft failed." }],
  ]);
});

test("the firewall is looked at every ten seconds, and what is found is logged", async (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  await enforcer.start();
  t.mock.timers.tick(9_999);
  await settled();
  assert.deepEqual(firewall.calls, ["reset"]);
  firewall.failing.push("check");
  t.mock.timers.tick(1);
  await until(() => firewall.calls.length === 3);
  assert.deepEqual(firewall.calls, ["reset", "check", "reset"]);
  assert.deepEqual(warned, [["The firewall is made anew.", { reason: "nft failed." }]]);
});

test("a firewall that stays broken is tried at once, then after 0.1 s, twice as long each time, at most 10 s", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  for (let i = 0; i < 13; i++) firewall.failing.push("reset");
  await enforcer.start();
  assert.equal(firewall.calls.length, 2);
  assert.equal(notices.raised.get("firewall_unavailable"), "nft failed.");
  for (const waitMs of [100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000, 10_000]) {
    const tried: number = firewall.calls.length;
    t.mock.timers.tick(waitMs - 1);
    await settled();
    assert.equal(firewall.calls.length, tried, `not before ${waitMs} ms`);
    t.mock.timers.tick(1);
    await settled();
    assert.equal(firewall.calls.length, tried + 1, `after ${waitMs} ms`);
  }
  t.mock.timers.tick(10_000);
  await settled();
  t.mock.timers.tick(10_000);
  await settled();
  assert.equal(enforcer.status().state, "enforcing");
  assert.equal(notices.raised.size, 0);
});

test("a look that finds all well forgives what failed before", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  await enforcer.start();
  for (let i = 0; i < 3; i++) {
    firewall.failing.push("apply");
    ban(1, i);
    await settled();
    assert.equal(enforcer.status().state, "enforcing", "one failure is mended at once");
    await enforcer.verify();
  }
});

test("the end waits for what is under way with the firewall and with sessions", async () => {
  await enforcer.start();
  let cutDone: (outcome: Outcome) => void = () => undefined;
  firewall.cutting = () => new Promise((resolve) => (cutDone = resolve));
  ban(1);
  await until(() => firewall.cuts.length === 1);
  let stopped = false;
  const stopping = enforcer.stop().then(() => (stopped = true));
  await settled();
  assert.equal(stopped, false);
  cutDone({ ok: true });
  await stopping;
});

test("the end waits for a change that has begun", async () => {
  await enforcer.start();
  ban(1);
  await Promise.resolve();
  await enforcer.stop();
  assert.deepEqual([...firewall.held.keys()], [address(0)]);
  assert.equal(enforcer.status().lastStep, 1);
});

test("where the owner wants no firewall, nothing is done and that is said", () => {
  assert.deepEqual(noEnforcement.status(), { state: "off", lastStep: 0, reason: null });
});

function address(n: number): Prefix {
  const parsed = parsePrefix(`10.0.${n >> 8}.${n & 255}`);
  assert.ok(parsed !== null);
  return parsed;
}

async function settled(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
}

async function until(condition: () => boolean): Promise<void> {
  const end = performance.now() + 5_000;
  while (!condition()) {
    assert.ok(performance.now() < end, "waited five seconds in vain");
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test("a change that the kernel took forgives what failed before, so that the next failure is mended at once", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  await enforcer.start();
  for (let i = 0; i < 3; i++) {
    firewall.failing.push("apply");
    ban(1, 2 * i);
    await settled();
    assert.equal(enforcer.status().state, "enforcing");
    ban(1, 2 * i + 1);
    await settled();
    assert.equal(enforcer.status().lastStep, 2 * i + 2);
  }
});

test("what is committed while the firewall is filled reaches it without another nudge", async () => {
  const starting = enforcer.start();
  await Promise.resolve();
  await Promise.resolve();
  banLog.add(address(1));
  await starting;
  assert.deepEqual([...firewall.held.keys()], [address(1)]);
});

test("a nudge while it fails does not hurry the next try", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  for (let i = 0; i < 4; i++) firewall.failing.push("reset");
  const starting = enforcer.start();
  for (let i = 0; i < 20; i++) {
    enforcer.nudge();
    await new Promise((resolve) => setImmediate(resolve));
  }
  await starting;
  assert.deepEqual(firewall.calls, ["reset", "reset"]);
});

test("a firewall that fails after the end is nobody's trouble", async () => {
  firewall.failing.push("reset");
  const starting = enforcer.start();
  await Promise.resolve();
  await enforcer.stop();
  await starting;
  assert.equal(notices.raised.size, 0);
});

test("a firewall whose tables vanish and cannot be made is not tried in a storm", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  await enforcer.start();
  firewall.failing.push("apply");
  ban(1);
  await settled();
  const before = firewall.calls.filter((call) => call === "reset").length;
  firewall.failing.push("check", "reset", "reset");
  await enforcer.verify();
  await settled();
  assert.equal(firewall.calls.filter((call) => call === "reset").length, before + 1, "the second failure waits");
});

test("once it works again no reason is given any more", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  firewall.failing.push("reset", "reset");
  await enforcer.start();
  assert.equal(enforcer.status().reason, "nft failed.");
  t.mock.timers.tick(100);
  await settled();
  assert.equal(enforcer.status().reason, null);
});

for (const [who, isAnew] of [
  ["itself", false],
  ["another", true],
] as const)
  test(`a ban that the kernel lacks is ${isAnew ? "missed" : "not missed"} where ${who} was let go of meanwhile`, async () => {
    await enforcer.start();
    firewall.losing.push(address(1));
    firewall.cutting = () => {
      banLog.delete(address(isAnew ? 9 : 1));
      firewall.cutting = () => Promise.resolve({ ok: true });
      return Promise.resolve({ ok: true });
    };
    ban(1, 1);
    await until(() => firewall.readBack.length > 0);
    await settled();
    assert.equal(warned.length, isAnew ? 1 : 0);
  });
