import assert from "node:assert/strict";
import { test } from "node:test";
import { engineOnMemory, HandClock, NoticeBoard, TEST_POLICY } from "../../../test/kit/engine-kit.ts";
import { BAN, MAIL, NOON, net, STRANGER } from "../../../test/kit/samples.ts";
import { type Ban, decision } from "../../core/decide/decision.ts";
import { HOUR_MS, later, MINUTE_MS } from "../../core/time.ts";
import { createLeakMonitor, EFFECTIVE_AFTER_MS, sightingOf } from "./ban-leak-monitor.ts";

const LEAK = { ip: STRANGER, service: "smtp", since: NOON, mayBeProxied: false } as const;

function monitor(isEnforcing = true, hasProxies = false) {
  const clock = new HandClock();
  const notices = new NoticeBoard();
  const rebuilds: number[] = [];
  const rebuild = (): unknown => rebuilds.push(clock.now());
  const watch = createLeakMonitor({ clock, notices, isEnforcing: () => isEnforcing, hasProxies, rebuild });
  return { clock, notices, rebuilds, watch };
}

async function strangerBanned() {
  const kit = engineOnMemory(TEST_POLICY);
  await kit.engine.ask({ type: "BAN_ASKED", prefix: net(STRANGER), note: "", durationMs: null, by: "root" });
  return { ...kit, sighting: () => kit.committed.at(-1)?.sighting };
}

test("reports a banned address that is seen although the firewall works, until ten minutes after the last time", () => {
  const { clock, notices, watch } = monitor();
  watch.noteSighting(LEAK);
  assert.match(notices.raised.get("bans_leak") ?? "", /203\.0\.113\.7, banned since .*, reached smtp/);
  clock.advance(10 * MINUTE_MS - 1);
  watch.look();
  assert.equal(notices.raised.size, 1);
  clock.advance(1);
  watch.look();
  assert.equal(notices.raised.size, 0);
});

test("without the firewall, the servers are expected to see banned addresses", () => {
  const { notices, watch } = monitor(false);
  watch.noteSighting(LEAK);
  assert.equal(notices.raised.size, 0);
});

test("a clock that is set back removes a notice instead of keeping it forever", () => {
  const { clock, notices, watch } = monitor();
  watch.noteSighting(LEAK);
  clock.advance(-2 * HOUR_MS);
  watch.look();
  assert.equal(notices.raised.size, 0);
});

test("a ban takes effect within fifteen seconds; a later connection is reported, but not a sign-in at the dashboard", async () => {
  const { engine, clock, sighting } = await strangerBanned();
  const connect = () => engine.ask({ type: "CONNECT", ...MAIL });
  clock.advance(14_999);
  await connect();
  assert.equal(sighting(), null, "it may have been in flight");
  clock.advance(1);
  await connect();
  assert.equal(sighting()?.ip, STRANGER);
  const login = { ip: STRANGER, login: "admin", passwordHash: "", service: "dashboard" } as const;
  await engine.ask({ type: "LOGIN_ASKED", ...login });
  assert.equal(sighting(), null);
});

test("a simulated ban stops no one, so its address is not reported", () => {
  const sighted = (ban: Ban) =>
    sightingOf({ type: "CONNECT", ...MAIL }, decision("pass", "banned"), { ban }, later(NOON, HOUR_MS));
  assert.notEqual(sighted(BAN), null);
  assert.equal(sighted({ ...BAN, simulated: true }), null);
});

test("a banned client that comes through a proxy is not a leak", async () => {
  const { engine, clock, sighting } = await strangerBanned();
  clock.advance(EFFECTIVE_AFTER_MS);
  await engine.ask({ type: "CONNECT", ...MAIL, proxied: true });
  assert.equal(sighting(), null);
  const login = { ip: STRANGER, login: "anna@example.org", passwordHash: "" } as const;
  await engine.ask({ type: "LOGIN_ASKED", ...login, service: "imap", proxied: true });
  assert.equal(sighting(), null);
  const toPostfix = { type: "LOGIN_ASKED", ...login, service: "submission" } as const;
  await engine.ask(toPostfix);
  const ofPostfix = sighting() ?? assert.fail();
  assert.equal(ofPostfix.mayBeProxied, true);
  await engine.ask({ ...toPostfix, service: "imap" });
  assert.equal(sighting()?.mayBeProxied, false, "Dovecot knows its own proxies");
  const [{ notices, watch }, without] = [monitor(true, true), monitor(true, false)];
  watch.noteSighting(ofPostfix);
  assert.equal(notices.raised.size, 0);
  watch.noteSighting(LEAK);
  assert.equal(notices.raised.size, 1, "a second one came directly");
  without.watch.noteSighting(ofPostfix);
  assert.equal(without.notices.raised.size, 1);
  await Promise.all([toPostfix, { type: "CONNECT", ...MAIL } as const, toPostfix].map((event) => engine.ask(event)));
  assert.equal(sighting()?.mayBeProxied, false, "the direct sighting of a transaction counts");
});

test("rebuilds the firewall for a leak at once, and again a minute later", () => {
  const { clock, rebuilds, watch, notices } = monitor();
  const after = (ms: number): number => {
    clock.advance(ms);
    watch.noteSighting(LEAK);
    return rebuilds.length;
  };
  assert.deepEqual([after(0), after(MINUTE_MS - 1), after(1), after(-MINUTE_MS)], [1, 1, 2, 3]);
  clock.advance(HOUR_MS);
  watch.look();
  notices.set("bans_leak", "by another hand");
  watch.look();
  assert.equal(notices.raised.size, 1, "a removed notice is not raised again");
});
