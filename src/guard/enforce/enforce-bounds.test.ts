import assert from "node:assert/strict";
import { test } from "node:test";
import { address, ban, enforcerKit, settled } from "../../../test/kit/enforcer-kit.ts";
import { until } from "../../../test/kit/until.ts";
import type { Outcome } from "../ports.ts";
import { ENFORCE, noEnforcement } from "./enforce.ts";

const kit = enforcerKit(import.meta.filename);

test("a ban missing in the kernel is logged with the reason, and restored", async () => {
  await kit.enforcer.start();
  kit.firewall.losing.push(address(1));
  ban(kit, 2);
  await until(() => kit.firewall.held.has(address(1)));
  assert.deepEqual(kit.warned, [
    ["The kernel lacks a ban that it was given; the firewall is rebuilt.", { reason: "nft failed." }],
  ]);
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
  assert.deepEqual(kit.warned, [["The firewall is rebuilt.", { reason: "nft failed." }]]);
});

test("a broken firewall is retried at once, then after 0.1 s, twice as long each time, at most 10 s", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  for (let i = 0; i < 13; i++) kit.firewall.failing.push("reset");
  await kit.enforcer.start();
  assert.equal(kit.firewall.calls.length, 2);
  assert.equal(kit.notices.raised.get("firewall_unavailable"), "nft failed.");
  for (const waitMs of [100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000, 10_000]) {
    const tried: number = kit.firewall.calls.length;
    t.mock.timers.tick(waitMs - 1);
    await settled();
    assert.equal(kit.firewall.calls.length, tried, `not before ${waitMs} ms`);
    t.mock.timers.tick(1);
    await settled();
    assert.equal(kit.firewall.calls.length, tried + 1, `after ${waitMs} ms`);
  }
  t.mock.timers.tick(10_000);
  await settled();
  t.mock.timers.tick(10_000);
  await settled();
  assert.equal(kit.enforcer.status().state, "enforcing");
  assert.equal(kit.notices.raised.size, 0);
});

test("a successful check clears earlier failures", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  await kit.enforcer.start();
  for (let i = 0; i < 3; i++) {
    kit.firewall.failing.push("apply");
    ban(kit, 1, i);
    await settled();
    assert.equal(kit.enforcer.status().state, "enforcing", "a single failure is fixed at once");
    await kit.enforcer.verify();
  }
});

test("shutdown waits for running work on the firewall and on sessions", async () => {
  await kit.enforcer.start();
  let cutDone: (outcome: Outcome) => void = () => undefined;
  kit.firewall.cutting = () => new Promise((resolve) => (cutDone = resolve));
  ban(kit, 1);
  await until(() => kit.firewall.cuts.length === 1);
  let stopped = false;
  const stopping = kit.enforcer.stop().then(() => (stopped = true));
  await settled();
  assert.equal(stopped, false);
  cutDone({ ok: true });
  await stopping;
});

test("shutdown waits for a change that has started", async () => {
  await kit.enforcer.start();
  ban(kit, 1);
  await Promise.resolve();
  await kit.enforcer.stop();
  assert.deepEqual([...kit.firewall.held.keys()], [address(0)]);
  assert.equal(kit.enforcer.status().lastStep, 1);
});

test("if the owner wants no firewall, does nothing and says so", () => {
  assert.deepEqual(noEnforcement.status(), { state: "off", lastStep: 0, reason: null });
});

test("a change that the kernel accepted clears earlier failures, so that the next failure is fixed at once", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  await kit.enforcer.start();
  for (let i = 0; i < 3; i++) {
    kit.firewall.failing.push("apply");
    ban(kit, 1, 2 * i);
    await settled();
    assert.equal(kit.enforcer.status().state, "enforcing");
    ban(kit, 1, 2 * i + 1);
    await settled();
    assert.equal(kit.enforcer.status().lastStep, 2 * i + 2);
  }
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

test("removes the reason once the firewall works again", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  kit.firewall.failing.push("reset", "reset");
  await kit.enforcer.start();
  assert.equal(kit.enforcer.status().reason, "nft failed.");
  t.mock.timers.tick(100);
  await settled();
  assert.equal(kit.enforcer.status().reason, null);
});

test("a missing table that a ban finds before the next check is reported too", async () => {
  await kit.enforcer.start();
  kit.firewall.failing.push("apply", "check");
  ban(kit, 1);
  await settled();
  assert.match(kit.notices.raised.get("firewall_lost") ?? "", /^\S+Z: ./);
  kit.firewall.failing.push("check");
  kit.enforcer.renew();
  await settled();
  assert.equal(kit.audits.length, 1);
});

test("a table that another program removed is reported, until ten minutes after the last time", async () => {
  await kit.enforcer.start();
  await kit.enforcer.verify();
  assert.ok(!kit.notices.raised.has("firewall_lost"));
  for (let i = 0; i < 2; i++) {
    kit.firewall.failing.push("check");
    await kit.enforcer.verify();
    assert.match(kit.notices.raised.get("firewall_lost") ?? "", /^\S+Z: ./);
    kit.clock.advance(ENFORCE.lossNoticeMs - 1);
    await kit.enforcer.verify();
    assert.ok(kit.notices.raised.has("firewall_lost"));
  }
  const lost = { type: "FIREWALL_LOST", subject: "nft failed.", by: "engine" };
  assert.deepEqual(kit.audits, [lost], "one event for all of it");
  kit.clock.advance(1);
  await kit.enforcer.verify();
  assert.ok(!kit.notices.raised.has("firewall_lost"));
  kit.firewall.failing.push("check");
  await kit.enforcer.verify();
  assert.deepEqual(kit.audits, [lost, lost]);
});
