// Invariant: Windows are exact and slide; the data in memory is a bounded copy of the database and may be dropped at any time.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ip, MAIL, NOON, net, POLICY, RECIPIENT } from "../../../test/kit/samples.ts";
import { DAY_MS, HOUR_MS, later, type Millis, WEEK_MS } from "../../core/time.ts";
import { type AddressHistory, type History, type HistoryReach, NO_HISTORY } from "../storage-ports.ts";
import { AddressCache, mostTimes, push } from "./address-cache.ts";
import { ProtectionList } from "./sparing.ts";

const NO_NETWORKS = { current: () => [] };

/** A cache over a history that counts its queries. */
function kit(
  known: Partial<AddressHistory> = {},
  protection = new ProtectionList(NO_NETWORKS, { allowEntries: () => [] }),
) {
  const asked: string[] = [];
  const reaches: HistoryReach[] = [];
  const history: History = {
    address: (prefix, reach) => {
      asked.push(prefix);
      reaches.push(reach);
      return { ...NO_HISTORY, ...known };
    },
  };
  const book = new AddressCache(history, protection);
  const state = (text: string, now: Millis = NOON) => book.state(POLICY, ip(text), now);
  return { book, asked, reaches, state };
}

function address(i: number): string {
  return `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`;
}

test("an address is read once, as far back as any limit reaches, with the bans around it", () => {
  const { book, asked, reaches, state } = kit();
  assert.equal(state("2001:db8:1:2::7").prefix, "2001:db8:1:2::/64");
  assert.equal(state("2001:db8:1:2::8").network, "2001:db8:1::/48");
  assert.deepEqual(asked, ["2001:db8:1:2::/64"]);
  const [hour, day, week] = [HOUR_MS, DAY_MS, WEEK_MS].map((ms) => later(NOON, -ms));
  const since = { sinceConnections: hour, sinceMails: day, sinceFailures: week, sinceProbes: hour };
  const place = net("2001:db8:1:2::/64");
  assert.deepEqual(reaches, [{ ...since, place, most: 601, mostFailures: 1_024 }]);
  book.state({ ...POLICY, logins: { ...POLICY.logins, failures: 1_000 } }, ip("203.0.113.7"), NOON);
  assert.equal(reaches.at(-1)?.mostFailures, 3_001, "one more than a known address may have");
});

test("future times are from before the clock was set back, and no longer count", () => {
  const times = [later(NOON, -1), NOON, later(NOON, 1)];
  const failures = times.map((at) => ({ at, passwordHash: "", account: "" }));
  const read = kit({ connections: times, mails: times, probes: times, bounces: times, failures }).state("203.0.113.7");
  for (const list of [read.connections, read.mails, read.probes, read.bounces])
    assert.deepEqual(list, times.slice(0, 2));
  assert.deepEqual(read.failures, failures.slice(0, 2));
});

test("a counted event enters only the window of its kind", () => {
  for (const [event, kind] of [
    [{ type: "CONNECT", ...MAIL }, "connections"],
    [{ type: "DATA", recipientCount: 1, ...MAIL }, "mails"],
    [{ type: "DATA", recipientCount: 1, ...MAIL, account: "anna@example.org" }, null],
    [RECIPIENT, "probes"],
    [{ ...RECIPIENT, sender: "" }, "bounces"],
    [{ type: "LOGIN_FAILED", ip: MAIL.ip, service: "imap", login: "Anna", passwordHash: "p" }, "failures"],
    [{ type: "LOGIN_ASKED", ip: MAIL.ip, service: "imap", login: "Anna", passwordHash: "p" }, "failures"],
    [{ type: "END_OF_MESSAGE", recipientCount: 1, sizeBytes: 1, ...MAIL }, null],
  ] as const) {
    const { book, state } = kit();
    const windows = state("203.0.113.7");
    book.count(POLICY, event, windows, NOON);
    for (const each of ["connections", "mails", "probes", "bounces", "failures"] as const)
      assert.equal(windows[each].length, each === kind ? 1 : 0, `${event.type}: ${each}`);
    if (kind === "failures") assert.deepEqual(windows.failures, [{ at: NOON, passwordHash: "p", account: "anna" }]);
  }
});

test("an address is known after a sign-in, if sign-ins are remembered", () => {
  const { book, state } = kit();
  book.know(net("203.0.113.7"), NOON);
  const windows = state("203.0.113.7");
  assert.equal(windows.knownAt, null);
  book.know(net("203.0.113.7"), NOON);
  assert.equal(windows.knownAt, NOON);
});

test("keeps the two thousand most recently seen addresses", () => {
  const { asked, state } = kit();
  for (let i = 0; i < 2_048; i++) state(address(i));
  state(address(0));
  assert.equal(asked.length, 2_048);
  state(address(2_048));
  state(address(0));
  assert.equal(asked.length, 2_049, "the first was seen again, so a different one was dropped");
  state(address(1));
  assert.equal(asked.length, 2_050);
});

test("a change to one prefix is read again for that prefix; a change to a wider network, for all", () => {
  for (const [dropped, asksAgain] of [
    ["203.0.113.7/32", ["203.0.113.7"]],
    ["2001:db8:1:2::/64", ["2001:db8:1:2::7"]],
    ["203.0.113.0/24", ["203.0.113.7", "2001:db8:1:2::7"]],
    ["2001:db8:1::/48", ["203.0.113.7", "2001:db8:1:2::7"]],
  ] as const) {
    const { book, asked, state } = kit();
    for (const text of ["203.0.113.7", "2001:db8:1:2::7"]) state(text);
    book.drop(net(dropped), POLICY);
    asked.length = 0;
    for (const text of ["203.0.113.7", "2001:db8:1:2::7"]) state(text);
    const again = asksAgain.map((text) => state(text).prefix);
    assert.deepEqual(asked, again, dropped);
  }
});

test("a change to a network that something protected splits is read again for its single addresses", () => {
  const allowed = { prefix: net("2001:db8:1:2::1"), note: "", by: "root", at: NOON, expiresAt: null };
  const protection = new ProtectionList(NO_NETWORKS, { allowEntries: () => [allowed] });
  protection.refresh(POLICY, NOON);
  const { book, asked, state } = kit({}, protection);
  state("2001:db8:1:2::7");
  book.drop(net("2001:db8:1:2::/64"), POLICY);
  state("2001:db8:1:2::7");
  assert.deepEqual(asked, ["2001:db8:1:2::7/128", "2001:db8:1:2::7/128"]);
});

test("dropped entries are read again: addresses and the prefixes themselves", () => {
  const { book, asked, state } = kit();
  state("203.0.113.7");
  book.forget();
  state("203.0.113.7");
  assert.equal(asked.length, 2);
  assert.equal(state("2001:db8:1:2::7").prefix, "2001:db8:1:2::/64");
  book.forget();
  const wider = { ...POLICY, bans: { ...POLICY.bans, ipv6Prefix: 56 } };
  assert.equal(book.state(wider, ip("2001:db8:1:2::7"), NOON).prefix, "2001:db8:1::/56");
});

test("a list keeps as many entries as needed, and is cut once it is twice as long", () => {
  const list = [1, 2, 3, 4, 5];
  push(list, 6, 3);
  assert.deepEqual(list, [1, 2, 3, 4, 5, 6]);
  push(list, 7, 3);
  assert.deepEqual(list, [5, 6, 7]);
});

test("keeps as many times as the widest limit of a known address needs", () => {
  assert.equal(mostTimes(POLICY), 3 * 200 + 1);
  const few = { ...POLICY, mail: [], connections: [], probes: [] };
  assert.equal(mostTimes(few), 1);
  const [limit] = POLICY.probes;
  assert.ok(limit !== undefined);
  for (const key of ["mail", "connections", "probes"] as const)
    assert.equal(mostTimes({ ...few, [key]: [{ ...limit, count: 1_000 }] }), 3_001);
});
