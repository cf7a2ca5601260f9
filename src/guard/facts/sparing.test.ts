import assert from "node:assert/strict";
import { test } from "node:test";
import { engineOnMemory, TEST_POLICY } from "../../../test/kit/engine-kit.ts";
import { ip, JAIL_REPORT, MAIL, NOON, net, POLICY, RECIPIENT } from "../../../test/kit/samples.ts";
import { columnOf } from "../../../test/kit/test-database.ts";
import type { OwnNetwork } from "../../core/decide/sparing.ts";
import { later, MINUTE_MS } from "../../core/time.ts";
import type { AllowEntry } from "../storage-ports.ts";
import { ProtectionList } from "./sparing.ts";

const OFFICE = ip("203.0.113.7");
const PROXY = ip("10.0.0.9");

function scene(own: readonly OwnNetwork[] = []) {
  const made = engineOnMemory({ ...TEST_POLICY, connections: [{ key: "k", count: 12, windowMs: MINUTE_MS }] }, own);
  const connect = (from = OFFICE) => made.engine.ask({ type: "CONNECT", ...MAIL, ip: from });
  const ban = async (target: string) => {
    const asked = { prefix: net(target), note: "", durationMs: null, by: "root" };
    return (await made.engine.ask({ type: "BAN_ASKED", ...asked })).reason;
  };
  const count = (type: string): number => {
    made.engine.flush();
    return columnOf(made.db, "SELECT id FROM event WHERE type = ?", type).length;
  };
  return { ...made, connect, ban, count };
}

test("an active administrator is not banned, which is recorded as an event", async () => {
  const { engine, connect, ban, count } = scene();
  engine.administratorAt(OFFICE);
  for (let i = 0; i < 12; i++) assert.equal((await connect()).reason, "below_limit");
  for (let i = 0; i < 20; i++)
    assert.partialDeepStrictEqual(await connect(), { verdict: "pass", reason: "admin_session" });
  assert.deepEqual([count("SPARED"), count("BAN")], [1, 0]);
  assert.equal(await ban("203.0.113.0/24"), "admin_session", "nor with the network around it");
});

test("an event keeps the administrators in its network, for a replay", async () => {
  const { engine, connect, db } = scene();
  engine.administratorAt(OFFICE);
  await connect();
  await connect(ip("203.0.114.7"));
  engine.flush();
  const rests = columnOf(db, "SELECT rest FROM event ORDER BY id").map(String);
  const named = rests.map((rest) => rest.includes(`"administrators":[{"ip":"${OFFICE}"`));
  assert.deepEqual(named, [true, false]);
});

test("a report of Fail2ban about an active administrator is one event", async () => {
  const { engine, count, clock } = scene();
  engine.administratorAt(OFFICE);
  const lines = Array.from({ length: 3 }, () => ({ text: "a line", at: clock.now(), about: "log" }) as const);
  const report = { ...JAIL_REPORT, ip: OFFICE, lastAt: clock.now(), lines };
  assert.equal((await engine.ask(report)).reason, "admin_session");
  assert.deepEqual([count("SPARED"), count("JAIL_REPORTED"), count("BAN")], [1, 0, 0]);
});

test("behind one private address no client is banned, and a notice says how to fix it", async () => {
  const { engine, connect, count, notices, clock } = scene();
  for (const helo of ["one.test", "two.test", "three.test"]) await engine.ask({ ...RECIPIENT, ip: PROXY, helo });
  clock.advance(MINUTE_MS);
  for (let i = 0; i < 40; i++) {
    assert.equal((await connect(PROXY)).verdict, "pass");
    await engine.ask({ ...RECIPIENT, ip: PROXY, helo: `client${i % 4}.test` });
  }
  assert.deepEqual([count("SPARED"), count("BAN")], [1, 0]);
  assert.ok(notices.raised.has("all_clients_private"));
});

test("remembers the sixty-four most recently seen administrators", async () => {
  const { engine, ban } = scene();
  const spared = async (i: number): Promise<boolean> => (await ban(`198.51.100.${i}`)) === "admin_session";
  for (let i = 0; i < 64; i++) engine.administratorAt(ip(`198.51.100.${i}`));
  engine.administratorAt(ip("198.51.100.0"));
  engine.administratorAt(ip("198.51.100.64"));
  assert.deepEqual([await spared(0), await spared(1), await spared(2)], [true, false, true]);
});

test("a ban by command looks up what protects the network now", async () => {
  const own: OwnNetwork[] = [];
  const { connect, ban } = scene(own);
  await connect();
  own.push({ prefix: net(OFFICE), why: "gateway" });
  assert.equal(await ban(OFFICE), "gateway");
});

test("a change is seen within five seconds, at once on request, and after the clock was set back", () => {
  const allowed: AllowEntry[] = [];
  const own = { current: () => [{ prefix: net("203.0.113.1"), why: "gateway" } as const] };
  const list = new ProtectionList(own, { allowed: () => allowed });
  const allow = (text: string): void =>
    void allowed.push({ prefix: net(text), note: "", by: "root", at: NOON, expiresAt: null });
  const hasChanged = (afterMs: number, isAsked = false) => list.refresh(POLICY, later(NOON, afterMs), isAsked);
  assert.equal(hasChanged(0), true);
  assert.equal(hasChanged(6_000), false);
  allow("198.51.100.1");
  assert.equal(hasChanged(10_999), false);
  assert.equal(hasChanged(11_000), true);
  allow("198.51.100.2");
  assert.equal(hasChanged(11_001, true), true);
  allow("198.51.100.3");
  assert.equal(hasChanged(11_001), false);
  assert.equal(hasChanged(11_000), true, "the clock was set back");
});
