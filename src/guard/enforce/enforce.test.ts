// Invariant: The firewall follows only the database: each change of a ban adds a step in the same transaction, and after any failure the enforcer starts over with all bans.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { address, ban, enforcerKit, newEnforcer } from "../../../test/kit/enforcer-kit.ts";
import { settled, until } from "../../../test/kit/until.ts";
import { MINUTE_MS } from "../../core/time.ts";
import type { CheckDepth } from "../network-ports.ts";
import type { Outcome } from "../ports.ts";
import { noEnforcement } from "./enforce.ts";

const kit = enforcerKit(import.meta.filename);

test("start fills the firewall with the bans in force, and closes no sessions", async () => {
  kit.allow.push(address(999));
  kit.banLog.add(address(1));
  assert.equal(kit.enforcer.status().state, "starting");
  await kit.enforcer.start();
  assert.deepEqual([...kit.firewall.held.keys()], [address(1)]);
  assert.deepEqual(kit.firewall.allow, [address(999)]);
  assert.deepEqual(kit.firewall.calls, ["reset"]);
  assert.deepEqual(kit.firewall.cuts, []);
  assert.deepEqual(kit.enforcer.status(), { state: "enforcing", lastStep: 1, reason: null });
});

test("however many nudges, a burst is one batch, and each session is closed once", async () => {
  await kit.enforcer.start();
  for (let i = 0; i < 100; i++) {
    kit.banLog.add(address(i));
    kit.enforcer.nudge();
  }
  await until(() => kit.firewall.cuts.length >= 100);
  assert.deepEqual(kit.firewall.calls, ["reset", "apply", "cut"], "blocks the address first, then closes its sessions");
  const each = Array.from({ length: 100 }, (_, i) => address(i));
  assert.deepEqual(kit.firewall.cuts, each);
});

test("a failed step leads to one reset at once; its sessions are closed anyway", async () => {
  await kit.enforcer.start();
  await kit.enforcer.verify();
  kit.firewall.failing.push("apply");
  ban(kit, 1, 1);
  await until(() => kit.firewall.cuts.length === 1);
  assert.deepEqual(kit.firewall.calls, ["reset", "check", "apply", "check", "reset", "cut"]);
  assert.equal(kit.enforcer.status().state, "enforcing");
  assert.equal(kit.notices.raised.size, 0);
});

test("the addresses that always pass are updated on request, and when verify finds them changed", async () => {
  await kit.enforcer.start();
  kit.allow.push(address(998));
  kit.enforcer.rebuild();
  await until(() => kit.firewall.allow.length === 1);
  assert.deepEqual(kit.firewall.calls, ["reset", "check", "reset"], "a lost table is noticed before it is replaced");
  kit.allow.push(address(997));
  await kit.enforcer.verify();
  assert.deepEqual(kit.firewall.allow, [address(998), address(997)]);
});

test("a kernel that cannot count connections keeps the bans, and there is a notice while it lasts", async () => {
  kit.firewall.uncounted = "no such module";
  kit.banLog.add(address(1));
  await kit.enforcer.start();
  assert.deepEqual([...kit.firewall.held.keys()], [address(1)]);
  assert.equal(kit.enforcer.status().state, "enforcing");
  assert.deepEqual([...kit.notices.raised], [["connections_uncounted", "no such module"]]);
  kit.firewall.uncounted = null;
  kit.enforcer.rebuild();
  await until(() => kit.notices.raised.size === 0);
});

test("changes nothing after stop", async () => {
  await kit.enforcer.start();
  ban(kit, 1, 1);
  await kit.enforcer.stop();
  const calls = kit.firewall.calls.length;
  kit.enforcer.nudge();
  await kit.enforcer.verify();
  assert.equal(kit.firewall.calls.length, calls);
  assert.equal(kit.enforcer.status().state, "stopped");
});

test("a ban missing in the kernel is logged with the reason, and restored", async () => {
  await kit.enforcer.start();
  kit.firewall.losing.push(address(1));
  ban(kit, 2);
  await until(() => kit.firewall.held.has(address(1)));
  assert.deepEqual(kit.firewall.calls, ["reset", "apply", "cut", "check", "reset"]);
  const says = "The kernel lacks a ban that it was given; rebuilding the firewall table.";
  assert.deepEqual(kit.warned, [[says, { reason: "nft failed." }]]);
});

test("the firewall is checked every ten seconds, and problems are logged", async (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  await kit.enforcer.start();
  t.mock.timers.tick(9_999);
  await settled();
  assert.deepEqual(kit.firewall.calls, ["reset"]);
  kit.firewall.failing.push("check");
  t.mock.timers.tick(1);
  await until(() => kit.firewall.calls.length === 3);
  assert.deepEqual(kit.firewall.calls, ["reset", "check", "reset"]);
  assert.deepEqual(kit.warned, [["Rebuilding the firewall table.", { reason: "nft failed." }]]);
});

test("with proxies, a missing table is noticed within a second, and nothing is enforced until it is rebuilt", async (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const { enforcer, firewall } = newEnforcer(true);
  await enforcer.start();
  firewall.failing.push("check");
  const states: string[] = [];
  t.mock.method(firewall, "reset", async () => {
    states.push(enforcer.status().state);
    return { ok: true };
  });
  t.mock.timers.tick(1_000);
  await until(() => states.length > 0);
  await enforcer.stop();
  assert.deepEqual(states, ["unavailable"]);
});

test("with proxies, a check is quick unless the last whole one was ten seconds ago", async () => {
  const { enforcer, firewall, clock } = newEnforcer(true);
  await enforcer.start();
  for (const waitMs of [0, 9_999, 1, 1_000]) {
    clock.advance(waitMs);
    await enforcer.verify();
  }
  await enforcer.stop();
  assert.deepEqual(firewall.depths, ["whole", "quick", "whole", "quick"]);
});

for (const [what, begin] of [
  ["a rebuild", ({ enforcer }) => enforcer.rebuild()],
  ["a change of what always passes", ({ allow, enforcer }) => (allow.push(address(9)), void enforcer.verify())],
] as const satisfies readonly (readonly [string, (kit: ReturnType<typeof newEnforcer>) => void])[])
  test(`with proxies, emptied sets are reported before ${what} fills them`, async (t) => {
    const proxied = newEnforcer(true);
    await proxied.enforcer.start();
    await proxied.enforcer.verify();
    const lost = { ok: false, reason: "nft failed.", isLost: true } as const;
    t.mock.method(proxied.firewall, "check", async (depth: CheckDepth) => (depth === "quick" ? { ok: true } : lost));
    begin(proxied);
    await settled();
    await proxied.enforcer.stop();
    assert.deepEqual(proxied.audits, [{ type: "FIREWALL_LOST", subject: "nft failed.", by: "engine" }]);
  });

test("a broken firewall is retried at once, then after 0.1 s, twice as long each time, at most 10 s", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  kit.firewall.failing.push("reset", "throw");
  for (let i = 2; i < 13; i++) kit.firewall.failing.push("reset");
  kit.banLog.add(address(1));
  await kit.enforcer.start();
  assert.equal(kit.firewall.calls.length, 2);
  assert.deepEqual(kit.enforcer.status(), { state: "unavailable", lastStep: 0, reason: "the pipe broke" });
  for (const waitMs of [100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000, 10_000]) {
    const tried: number = kit.firewall.calls.length;
    t.mock.timers.tick(waitMs - 1);
    await settled();
    assert.equal(kit.firewall.calls.length, tried, `not before ${waitMs} ms`);
    t.mock.timers.tick(1);
    await settled();
    assert.equal(kit.firewall.calls.length, tried + 1, `after ${waitMs} ms`);
  }
  assert.equal(kit.notices.raised.get("firewall_unavailable"), "nft failed.");
  t.mock.timers.tick(10_000);
  await settled();
  t.mock.timers.tick(10_000);
  await settled();
  assert.deepEqual(kit.enforcer.status(), { state: "enforcing", lastStep: 1, reason: null });
  assert.equal(kit.notices.raised.size, 0);
});

test("shutdown waits for running work on the firewall and on sessions", async () => {
  await kit.enforcer.start();
  let cutDone: (outcome: Outcome) => void = () => undefined;
  kit.firewall.cutting = () => new Promise((resolve) => (cutDone = resolve));
  ban(kit, 1_001);
  await until(() => kit.firewall.cuts.length === 1_000);
  let stopped = false;
  const stopping = kit.enforcer.stop().then(() => (stopped = true));
  await settled();
  assert.equal(stopped, false);
  cutDone({ ok: true });
  await stopping;
  assert.equal(kit.firewall.cuts.length, 1_000, "the next thousand stay open");
});

test("shutdown waits for a change that has started", async () => {
  await kit.enforcer.start();
  ban(kit, 1);
  await Promise.resolve();
  await kit.enforcer.stop();
  assert.deepEqual([...kit.firewall.held.keys()], [address(0)]);
  assert.equal(kit.enforcer.status().lastStep, 1);
});

test("if the owner wants no firewall, does nothing and says so", () =>
  assert.deepEqual(noEnforcement.status(), { state: "off", lastStep: 0, reason: null }));

for (const [what, succeed] of [
  ["a successful check after a while", () => (kit.clock.advance(75_000), kit.enforcer.verify())],
  ["a change that the kernel accepted", () => (ban(kit, 1), settled())],
] as const)
  test(`${what} clears earlier failures, so that the next failure is fixed at once`, async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    await kit.enforcer.start();
    const afterFailure = async (): Promise<string> => {
      kit.firewall.failing.push("apply");
      ban(kit, 1);
      await settled();
      return kit.enforcer.status().state;
    };
    for (let i = 0; i < 3; i++) {
      assert.equal(await afterFailure(), "enforcing");
      await succeed();
    }
    const last = [await afterFailure(), await afterFailure()];
    assert.deepEqual(last, ["enforcing", "unavailable"], "only the first of two failures is fixed at once");
  });

test("changes committed while the firewall is filled reach it without another nudge", async () => {
  const starting = kit.enforcer.start();
  await Promise.resolve();
  await Promise.resolve();
  kit.banLog.add(address(1));
  await starting;
  assert.deepEqual([...kit.firewall.held.keys()], [address(1)]);
});

test("a nudge during a failure does not speed up the next try", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  for (let i = 0; i < 4; i++) kit.firewall.failing.push("reset");
  const starting = kit.enforcer.start();
  for (let i = 0; i < 20; i++) {
    kit.enforcer.nudge();
    await new Promise((resolve) => setImmediate(resolve));
  }
  await starting;
  assert.deepEqual(kit.firewall.calls, ["reset", "reset"]);
});

test("a firewall that fails after the end is not reported", async () => {
  kit.firewall.failing.push("reset");
  const starting = kit.enforcer.start();
  await Promise.resolve();
  await kit.enforcer.stop();
  await starting;
  assert.equal(kit.notices.raised.size, 0);
});

test("a firewall whose tables vanish and cannot be created is not retried in a storm", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  await kit.enforcer.start();
  kit.firewall.failing.push("apply");
  ban(kit, 1);
  await settled();
  const before = kit.firewall.calls.filter((call) => call === "reset").length;
  kit.firewall.failing.push("check", "reset", "reset");
  await kit.enforcer.verify();
  await settled();
  assert.equal(kit.firewall.calls.filter((call) => call === "reset").length, before + 1, "the second failure waits");
});

test("a check during a reset does not let a failing change reset forever", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { enforcer, firewall, banLog, clock } = newEnforcer(true);
  await enforcer.start();
  clock.advance(75_000);
  let resets = 0;
  t.mock.method(firewall, "reset", async () => {
    clock.advance(60_000);
    void enforcer.verify();
    resets += 1;
    return { ok: true };
  });
  t.mock.method(firewall, "apply", async () => ({ ok: false, reason: "nft failed." }));
  // Each reset is followed by a new step.
  t.mock.method(banLog, "last", () => 0);
  banLog.add(address(1));
  enforcer.nudge();
  await settled();
  await enforcer.stop();
  assert.equal(resets, 1);
});

test("a missing table that a ban finds before the next check is reported too", async () => {
  await kit.enforcer.start();
  kit.firewall.failing.push("apply", "check");
  ban(kit, 1);
  await settled();
  assert.match(kit.notices.raised.get("firewall_lost") ?? "", /^\S+Z: ./);
  kit.firewall.failing.push("check");
  kit.enforcer.rebuild();
  await settled();
  assert.equal(kit.audits.length, 1);
});

test("a table that another program removed is reported, until ten minutes after the last time", async () => {
  await kit.enforcer.start();
  await kit.enforcer.verify();
  assert.deepEqual(kit.firewall.calls, ["reset", "check"], "a complete table stays");
  kit.firewall.failing.push("unchecked");
  await kit.enforcer.verify();
  assert.deepEqual(kit.firewall.calls, ["reset", "check", "reset"], "a failed check rebuilds, and reports no loss");
  assert.ok(!kit.notices.raised.has("firewall_lost"));
  for (let i = 0; i < 2; i++) {
    kit.firewall.failing.push("check");
    await kit.enforcer.verify();
    assert.match(kit.notices.raised.get("firewall_lost") ?? "", /^\S+Z: ./);
    kit.clock.advance(10 * MINUTE_MS - 1);
    await kit.enforcer.verify();
    assert.ok(kit.notices.raised.has("firewall_lost"));
  }
  const lost = { type: "FIREWALL_LOST", subject: "nft failed.", by: "engine" };
  assert.deepEqual(kit.audits, [lost], "one event for all losses");
  kit.clock.advance(1);
  await kit.enforcer.verify();
  assert.ok(!kit.notices.raised.has("firewall_lost"));
  kit.firewall.failing.push("check");
  await kit.enforcer.verify();
  assert.deepEqual(kit.audits, [lost, lost]);
});

test("whatever is committed and whatever fails, the firewall ends equal to the database, and no ban's sessions are closed twice", async () => {
  const action = fc.oneof(
    fc.record({ type: fc.constant("add" as const), n: fc.nat(8) }),
    fc.record({ type: fc.constant("delete" as const), n: fc.nat(8) }),
    fc.record({ type: fc.constantFrom("fail", "wait", "verify", "allow"), n: fc.nat(3) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 25 }), async (actions) => {
      const { firewall, banLog, enforcer } = newEnforcer();
      await enforcer.start();
      let adds = 0;
      for (const { type, n } of actions) {
        if (type === "add") banLog.add(address(n));
        if (type === "delete") banLog.delete(address(n));
        if (type === "fail" && firewall.failing.length === 0) firewall.failing.push(n === 0 ? "reset" : "apply");
        if (type === "wait") for (let i = 0; i < n; i++) await new Promise((resolve) => setImmediate(resolve));
        if (type === "verify") void enforcer.verify();
        if (type === "allow") enforcer.rebuild();
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
