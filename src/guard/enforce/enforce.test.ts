// Invariant: The firewall follows only the database: each change of a ban adds a step in the same transaction, and after any failure the enforcer starts over with all bans.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { FakeFirewall, MemoryBanLog } from "../../../test/kit/fake-firewall.ts";
import { afterEachOf, beforeEachOf } from "../../../test/kit/hooks.ts";
import { until } from "../../../test/kit/until.ts";
import type { NoticeCode } from "../../core/alerts/notices.ts";
import { type Prefix, parsePrefix } from "../../core/net/ip.ts";
import { instant } from "../../core/time.ts";
import { CUT } from "./cut-sessions.ts";
import { BanEnforcer, ENFORCE, type Enforcer } from "./enforce.ts";

let firewall: FakeFirewall;
let banLog: MemoryBanLog;
let allow: readonly Prefix[];
let raised: Map<NoticeCode, string>;
let enforcer: Enforcer;

beforeEachOf(import.meta.filename, make);
afterEachOf(import.meta.filename, async () => enforcer.stop());

function make(): void {
  firewall = new FakeFirewall();
  banLog = new MemoryBanLog();
  allow = [address(999)];
  raised = new Map();
  const notices = {
    raise: (code: NoticeCode, detail: string) => void raised.set(code, detail),
    clear: (code: NoticeCode) => void raised.delete(code),
    list: () => [],
  };
  const log = { info: () => {}, warn: () => {}, error: () => {} };
  enforcer = new BanEnforcer({
    audit: () => undefined,
    banLog,
    firewall,
    allowList: () => allow,
    clock: { now: () => instant(5) },
    notices,
    log,
  });
}

test("start fills the firewall with the bans in force, and closes no sessions", async () => {
  banLog.add(address(1));
  assert.equal(enforcer.status().state, "starting");
  await enforcer.start();
  assert.deepEqual([...firewall.held.keys()], [address(1)]);
  assert.deepEqual(firewall.allow, [address(999)]);
  assert.deepEqual(firewall.calls, ["reset"]);
  assert.deepEqual(firewall.cuts, []);
  assert.deepEqual(enforcer.status(), { state: "enforcing", lastStep: 1, reason: null });
});

test("however many nudges, a burst is one batch, and each session is closed once", async () => {
  await enforcer.start();
  for (let i = 0; i < 100; i++) {
    banLog.add(address(i));
    enforcer.nudge();
  }
  await until(() => firewall.cuts.length >= 100);
  assert.deepEqual(firewall.calls, ["reset", "apply", "cut"], "blocks the address first, then closes its sessions");
  assert.deepEqual(
    firewall.cuts,
    Array.from({ length: 100 }, (_, i) => address(i)),
  );
});

test("a backlog is handled in batches", async () => {
  await enforcer.start();
  for (let i = 0; i <= ENFORCE.stepsPerBatch; i++) banLog.add(address(i));
  enforcer.nudge();
  await until(() => enforcer.status().lastStep === ENFORCE.stepsPerBatch + 1);
  assert.deepEqual(
    firewall.calls.filter((call) => call !== "cut"),
    ["reset", "apply", "apply"],
  );
});

test("a ban that the kernel accepted but does not hold is noticed at once and restored", async () => {
  await enforcer.start();
  firewall.losing.push(address(1));
  banLog.add(address(1));
  enforcer.nudge();
  await until(() => firewall.held.has(address(1)));
  assert.deepEqual(firewall.calls, ["reset", "apply", "cut", "check", "reset"]);
  assert.equal(enforcer.status().state, "enforcing");
});

test("a ban that was lifted or is about to end does not count as missing", async () => {
  await enforcer.start();
  firewall.losing.push(address(1), address(2));
  banLog.add(address(1), instant(5 + CUT.expiresSoonMs));
  banLog.add(address(2));
  banLog.delete(address(2));
  enforcer.nudge();
  await until(() => firewall.cuts.length > 0);
  await enforcer.verify();
  assert.deepEqual(
    firewall.calls.filter((call) => call === "reset"),
    ["reset"],
  );
});

test("a failed step leads to one reset at once; its sessions are closed anyway", async () => {
  await enforcer.start();
  firewall.failing.push("apply");
  banLog.add(address(1));
  enforcer.nudge();
  await until(() => firewall.cuts.length === 1);
  assert.deepEqual(firewall.calls, ["reset", "apply", "check", "reset", "cut"]);
  assert.equal(enforcer.status().state, "enforcing");
  assert.equal(raised.size, 0);
});

test("while the firewall fails there is a notice, retries become rarer, and nudges do not speed them up", async () => {
  firewall.failing.push("reset", "throw", "reset");
  await enforcer.start();
  assert.deepEqual(firewall.calls, ["reset", "reset"]);
  assert.equal(raised.get("firewall_unavailable"), "the pipe broke");
  assert.deepEqual(enforcer.status(), {
    state: "unavailable",
    lastStep: 0,
    reason: "the pipe broke",
  });
  const from = performance.now();
  banLog.add(address(1));
  for (let i = 0; i < 50; i++) enforcer.nudge();
  await until(() => firewall.held.size === 1);
  assert.ok(performance.now() - from >= 0.9 * (ENFORCE.firstRetryMs + 2 * ENFORCE.firstRetryMs));
  await until(() => raised.size === 0 && firewall.cuts.length === 1);
  assert.deepEqual(firewall.calls, ["reset", "reset", "reset", "reset", "cut"]);
});

test("a fault that resets do not fix does not cause a storm of resets", async () => {
  await enforcer.start();
  for (let i = 0; i < 4; i++) firewall.failing.push("apply");
  const from = performance.now();
  for (let i = 0; i < 3; i++) {
    const resets = firewall.calls.filter((call) => call === "reset").length;
    banLog.add(address(i));
    enforcer.nudge();
    await until(() => firewall.calls.filter((call) => call === "reset").length > resets);
  }
  assert.ok(performance.now() - from >= 0.9 * 3 * ENFORCE.firstRetryMs);
});

test("verify fixes a firewall that someone changed, and leaves a good one unchanged", async () => {
  await enforcer.start();
  await enforcer.verify();
  assert.deepEqual(firewall.calls, ["reset", "check"]);
  firewall.failing.push("check");
  await enforcer.verify();
  assert.deepEqual(firewall.calls, ["reset", "check", "check", "reset"]);
});

test("the addresses that always pass are updated on request, and when verify finds them changed", async () => {
  await enforcer.start();
  allow = [address(998)];
  enforcer.renew();
  await until(() => firewall.allow === allow);
  allow = [address(997)];
  await enforcer.verify();
  assert.deepEqual(firewall.allow, allow);
});

test("a kernel that cannot count connections keeps the bans, and there is a notice while it lasts", async () => {
  firewall.uncounted = "no such module";
  banLog.add(address(1));
  await enforcer.start();
  assert.deepEqual([...firewall.held.keys()], [address(1)]);
  assert.deepEqual(
    [enforcer.status().state, [...raised]],
    ["enforcing", [["connections_uncounted", "no such module"]]],
  );
  firewall.uncounted = null;
  enforcer.renew();
  await until(() => raised.size === 0);
});

test("changes nothing after stop", async () => {
  await enforcer.start();
  banLog.add(address(1));
  enforcer.nudge();
  await enforcer.stop();
  const calls = firewall.calls.length;
  enforcer.nudge();
  await enforcer.verify();
  assert.equal(firewall.calls.length, calls);
  assert.equal(enforcer.status().state, "stopped");
});

test("whatever is committed and whatever fails, the firewall ends equal to the database, and no ban's sessions are closed twice", async () => {
  const action = fc.oneof(
    fc.record({ type: fc.constant("add" as const), n: fc.nat(8) }),
    fc.record({ type: fc.constant("delete" as const), n: fc.nat(8) }),
    fc.record({ type: fc.constantFrom("fail", "wait", "verify", "allow"), n: fc.nat(3) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 25 }), async (actions) => {
      make();
      await enforcer.start();
      let adds = 0;
      for (const { type, n } of actions) {
        if (type === "add") banLog.add(address(n));
        if (type === "delete") banLog.delete(address(n));
        if (type === "fail" && firewall.failing.length === 0) firewall.failing.push(n === 0 ? "reset" : "apply");
        if (type === "wait") for (let i = 0; i < n; i++) await new Promise((resolve) => setImmediate(resolve));
        if (type === "verify") void enforcer.verify();
        if (type === "allow") enforcer.renew();
        if (type === "add") adds += 1;
        enforcer.nudge();
      }
      await until(() => enforcer.status().state === "enforcing" && enforcer.status().lastStep === banLog.last());
      const expected = new Map(banLog.active().map(({ prefix, expiresAt }) => [prefix, expiresAt]));
      assert.deepEqual(firewall.held, expected);
      await enforcer.stop();
      assert.ok(firewall.cuts.length <= adds);
    }),
    { numRuns: 40, seed: 11 },
  );
});

function address(n: number): Prefix {
  const parsed = parsePrefix(`10.0.${n >> 8}.${n & 255}`);
  assert.ok(parsed !== null);
  return parsed;
}
