import assert from "node:assert/strict";
import { test } from "node:test";
import { engineOnMemory, NoticeBoard, TEST_POLICY } from "../../../test/kit/engine-kit.ts";
import { beforeEachOf } from "../../../test/kit/hooks.ts";
import { ip, JAIL_REPORT, MAIL, NOON, net, POLICY, RECIPIENT } from "../../../test/kit/samples.ts";
import { columnOf } from "../../../test/kit/test-database.ts";
import { isAllClients, type OwnNetwork } from "../../core/decide/sparing.ts";
import { hostPrefix } from "../../core/net/ip.ts";
import { later, MINUTE_MS } from "../../core/time.ts";
import type { AllowEntry } from "../storage-ports.ts";
import { CLIENT_SHARE_LIMITS, ClientShares, ProtectionList } from "./sparing.ts";

const OFFICE = ip("203.0.113.7");
const PROXY = "172.18.0.5";

function scene(own: readonly OwnNetwork[] = []) {
  const made = engineOnMemory({ ...TEST_POLICY, connections: [{ key: "k", count: 12, windowMs: MINUTE_MS }] }, own);
  const connect = (from = OFFICE) => made.engine.ask({ type: "CONNECT", ...MAIL, ip: from });
  const ban = async (target: string) => {
    const asked = { prefix: net(target), note: "", durationMs: null, by: "root" };
    return (await made.engine.ask({ type: "BAN_ASKED", ...asked })).reason;
  };
  const count = (type: string): number => {
    made.engine.commit();
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
  engine.commit();
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
  for (const helo of ["one.test", "two.test", "three.test"]) await engine.ask({ ...RECIPIENT, ip: ip(PROXY), helo });
  clock.advance(MINUTE_MS);
  for (let i = 0; i < 40; i++) {
    assert.equal((await connect(ip(PROXY))).verdict, "pass");
    await engine.ask({ ...RECIPIENT, ip: ip(PROXY), helo: `client${i % 4}.test` });
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
  const list = new ProtectionList(own, { allowEntries: () => allowed });
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

let notices: NoticeBoard;
let watched: ClientShares;
function startAgain(): void {
  notices = new NoticeBoard();
  watched = new ClientShares(notices);
}
beforeEachOf(import.meta.filename, startAgain);

const connect = (from: string, at = 0): void =>
  watched.count({ type: "CONNECT", ip: ip(from), service: "smtp", session: "", clientName: null }, later(NOON, at));
const helo = (from: string, name: string, at = 0): void =>
  watched.count({ ...RECIPIENT, ip: ip(from), helo: name }, later(NOON, at));
const signIn = (from: string, login: string): void =>
  watched.count({ type: "LOGIN_SUCCEEDED", ip: ip(from), service: "imap", login, passwordHash: "" }, NOON);
const hides = (from: string, at = 0): boolean =>
  watched.sharesIn(hostPrefix(ip(from)), later(NOON, at)).some(isAllClients);

test("one private address with nearly all clients, under three names, hides them, and there is a notice", () => {
  for (const name of ["one.test", "ONE.test", "two.test", "three.test"]) helo(PROXY, name);
  for (let i = 1; i < 10; i++) connect(PROXY, MINUTE_MS);
  assert.equal(hides(PROXY, MINUTE_MS), false, "too few to decide");
  connect(PROXY, MINUTE_MS);
  assert.equal(hides(PROXY, MINUTE_MS), true);
  assert.match(notices.raised.get("all_clients_private") ?? "", /172\.18\.0\.5/);
  const areHidden = ["172.18.0.0/24", "172.18.1.0/24"].map((network) =>
    watched.sharesIn(net(network), later(NOON, MINUTE_MS)).some(isAllClients),
  );
  assert.deepEqual(areHidden, [true, false]);
});

test("a client that signed in counts at once", () => {
  for (let i = 0; i < 10; i++) connect(PROXY);
  for (const login of ["ann", "bob", "Bob"]) signIn(PROXY, `${login}@example.test`);
  assert.equal(hides(PROXY), false);
  signIn(PROXY, "cid@example.test");
  assert.equal(hides(PROXY), true);
});

test("a gateway that hides the clients by IPv6 alone is noticed, and stays so while others come by IPv4", () => {
  const gateway = "fd6d:6169:6c00::1";
  for (let i = 0; i < 100; i++) connect(`203.0.113.${i}`);
  for (const login of ["ann", "bob", "cid"]) signIn(gateway, login);
  for (let i = 0; i < 10; i++) connect(gateway);
  connect(PROXY);
  assert.equal(hides(gateway), true);
  const detail = `10 of the last 10 connections and sign-ins over IPv6 come from ${gateway}`;
  assert.equal(notices.raised.get("all_clients_private"), detail);
  for (let i = 0; i < 9; i++) connect(`2001:db8::${i}`);
  connect(gateway);
  assert.equal(notices.raised.size, 0);
});

test("a public address hides no clients", () => {
  for (const login of ["ann", "bob", "cid"]) signIn("203.0.113.7", login);
  for (let i = 0; i < 100; i++) connect("203.0.113.7");
  assert.equal(hides("203.0.113.7"), false);
});

test("events older than two windows do not count, and setting the clock back does no harm", () => {
  const names = ["one.test", "two.test", "three.test"];
  for (let i = 0; i < 100; i++) connect("203.0.113.7");
  for (const name of names) helo(PROXY, name, 1);
  for (let i = 0; i < 20; i++) connect(PROXY, CLIENT_SHARE_LIMITS.windowMs);
  assert.equal(hides(PROXY, CLIENT_SHARE_LIMITS.windowMs), false);
  for (const name of names) helo(PROXY, name, CLIENT_SHARE_LIMITS.windowMs);
  for (let i = 0; i < 20; i++) connect(PROXY, 2 * CLIENT_SHARE_LIMITS.windowMs);
  assert.equal(hides(PROXY, 2 * CLIENT_SHARE_LIMITS.windowMs), true);
  connect("203.0.113.8", -CLIENT_SHARE_LIMITS.windowMs);
  for (const name of names) helo(PROXY, name, -CLIENT_SHARE_LIMITS.windowMs);
  assert.equal(hides(PROXY, CLIENT_SHARE_LIMITS.familiarMs - CLIENT_SHARE_LIMITS.windowMs), true);
});

test("nine of ten or more are nearly all, and the notice has the number", () => {
  for (const login of ["ann", "bob", "cid"]) signIn(PROXY, login);
  for (let i = 0; i < 2; i++) connect(`203.0.113.${i}`);
  for (let i = 0; i < 17; i++) connect(PROXY);
  assert.equal(hides(PROXY), false);
  assert.equal(notices.raised.size, 0);
  connect(PROXY);
  assert.equal(hides(PROXY), true);
  const says = `18 of the last 20 connections and sign-ins come from ${PROXY}`;
  assert.equal(notices.raised.get("all_clients_private"), says);
  connect("203.0.113.9");
  connect(PROXY);
  assert.equal(notices.raised.size, 0, "19 of 22 are not");
});

test("the notice ends once the proxy passes on the clients' addresses, even if it is never seen again", () => {
  for (const login of ["ann", "bob", "cid"]) signIn(PROXY, login);
  for (let i = 0; i < 18; i++) connect(PROXY);
  for (let i = 0; i < 2; i++) connect(`203.0.113.${i}`);
  signIn("203.0.113.9", "ann");
  assert.equal(notices.raised.size, 1, "18 of 20 are nearly all, and a success is not another client");
  connect("203.0.113.9");
  assert.equal(notices.raised.size, 0, "18 of 21 are not");
});

test("after the notice has ended, only visits by way of the proxy raise it again", () => {
  const names = ["one.test", "two.test", "three.test"];
  for (const login of ["ann", "bob", "cid"]) signIn(PROXY, login);
  for (let i = 0; i < 30; i++) connect(PROXY);
  assert.equal(notices.raised.size, 1);
  for (let i = 0; i < 20; i++) connect("203.0.113.9");
  assert.equal(notices.raised.size, 0);
  for (let i = 0; i < 20; i++) connect(PROXY, 31 * MINUTE_MS);
  for (const name of names) helo(PROXY, name, 31 * MINUTE_MS);
  connect("203.0.113.9", 62 * MINUTE_MS);
  assert.deepEqual([notices.raised.size, hides(PROXY, 62 * MINUTE_MS)], [0, true]);
  connect(PROXY, 62 * MINUTE_MS);
  assert.equal(notices.raised.size, 1);
});

test("ten clients with fewer than nine private ones end the notice", () => {
  notices.set("all_clients_private", "of yesterday");
  for (let i = 0; i < 2; i++) connect(`203.0.113.${i}`);
  for (let i = 0; i < 7; i++) connect(PROXY);
  signIn(PROXY, "ann");
  assert.equal(notices.raised.size, 1, "nine are too few to decide");
  connect(PROXY);
  assert.equal(notices.raised.size, 0);
  for (let i = 0; i < 9; i++) connect(PROXY);
  notices.set("all_clients_private", "of today");
  connect(PROXY);
  assert.equal(notices.raised.size, 1, "18 of 20 are not fewer");
});

test("a connection has no name, and a known name needs no second minute", () => {
  for (const name of ["one.test", "two.test"]) helo(PROXY, name);
  for (let i = 0; i < 20; i++) connect(PROXY);
  assert.equal(hides(PROXY, MINUTE_MS), false, "two names and connections");
  helo(PROXY, "three.test");
  for (const name of ["one.test", "two.test", "three.test"]) helo(PROXY, name, MINUTE_MS - 1);
  assert.equal(hides(PROXY, MINUTE_MS - 1), false);
  assert.equal(hides(PROXY, MINUTE_MS), true);
});

test("an event counts until the end of the next half hour", () => {
  for (let i = 0; i < 10; i++) connect(PROXY);
  for (const login of ["ann", "bob", "cid"]) signIn(PROXY, login);
  connect(PROXY, 30 * MINUTE_MS - 1);
  connect("203.0.113.7", 60 * MINUTE_MS - 2);
  assert.equal(hides(PROXY, 60 * MINUTE_MS - 2), true);
  connect(PROXY, 60 * MINUTE_MS - 1 + 30 * MINUTE_MS);
  assert.equal(hides(PROXY, 90 * MINUTE_MS), false);
});

test("remembers sixty-four private addresses, and as many names of each", () => {
  for (let i = 0; i < 64; i++) connect(`10.0.0.${i}`);
  for (const login of ["ann", "bob", "cid"]) signIn("10.0.1.1", login);
  for (let i = 0; i < 2_000; i++) connect("10.0.1.1");
  assert.equal(hides("10.0.1.1"), false, "the 65th is not watched");
  for (const login of ["ann", "bob", "cid"]) signIn("10.0.0.63", login);
  for (let i = 0; i < 40_000; i++) connect("10.0.0.63");
  assert.equal(hides("10.0.0.63"), true, "the 64th is");
  for (const names of [61, 62]) {
    startAgain();
    for (let i = 0; i < 10; i++) connect(PROXY);
    for (let i = 0; i < names; i++) helo(PROXY, `${i}.test`);
    for (const login of ["ann", "bob", "cid"]) signIn(PROXY, login);
    assert.equal(hides(PROXY), names === 61, `with ${names} additional names`);
  }
});
