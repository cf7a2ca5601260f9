import assert from "node:assert/strict";
import { test } from "node:test";
import { factsOf, ip, NOON, RECIPIENT } from "../../../test/kit/samples.ts";
import { decision } from "../../core/decide/decision.ts";
import type { Facts } from "../../core/decide/facts.ts";
import type { Recipient } from "../../core/events/mail.ts";
import type { Reason } from "../../core/events/reasons.ts";
import { hostPrefix, neighbourhoodOf } from "../../core/net/ip.ts";
import { HOUR_MS, later } from "../../core/time.ts";
import { DistinctTimes, WholeServerWindows } from "./whole-server-windows.ts";

test("each item counts once, until its first time leaves the window", () => {
  const seen = new DistinctTimes(1_000, 10);
  seen.add("net", "a", NOON);
  seen.add("net", "a", later(NOON, 500));
  seen.add("net", "b", later(NOON, 600));
  assert.deepEqual(seen.times(later(NOON, 999)), [NOON, later(NOON, 600)]);
  assert.ok(seen.has("net", "a", later(NOON, 999)));
  assert.deepEqual(seen.times(later(NOON, 1_000)), [later(NOON, 600)]);
  assert.deepEqual(seen.timesOf("net", later(NOON, 1_000)), [later(NOON, 600)]);
  assert.ok(!seen.has("net", "a", later(NOON, 1_000)));
  seen.add("net", "a", later(NOON, 1_100));
  assert.deepEqual(seen.times(later(NOON, 1_100)), [later(NOON, 600), later(NOON, 1_100)]);
  assert.ok(!seen.has("net", "b", later(NOON, 1_600)));
});

test("a flood displaces the oldest", () => {
  const seen = new DistinctTimes(1_000_000, 3);
  for (let i = 0; i < 10; i++) seen.add("net", String(i), later(NOON, i));
  assert.deepEqual(seen.times(later(NOON, 10)), [later(NOON, 7), later(NOON, 8), later(NOON, 9)]);
  assert.deepEqual(seen.timesOf("net", later(NOON, 10)), seen.times(later(NOON, 10)));
  assert.ok(!seen.has("net", "0", later(NOON, 10)));
});

const asked = (changes: Partial<Recipient> = {}): Recipient => ({ ...RECIPIENT, senderExists: true, ...changes });

const placeOf = (from: string) => ({ prefix: hostPrefix(ip(from)), network: neighbourhoodOf(ip(from), 64) });

const ELSEWHERE = neighbourhoodOf(ip("192.0.2.1"), 64);

type Asked = Readonly<{ from?: string; event?: Partial<Recipient>; facts?: Partial<Facts>; reason?: Reason }>;

function after(...questions: readonly Asked[]) {
  const windows = new WholeServerWindows();
  for (const { from = "203.0.113.7", event, facts, reason = "recipient_unknown" } of questions) {
    windows.update(asked(event), factsOf({ ...placeOf(from), ...facts }), decision("refuse", reason), NOON);
  }
  return {
    probes: windows.probes(asked(), ELSEWHERE, NOON).length,
    bounces: windows.probes(asked({ sender: "" }), ELSEWHERE, NOON).length,
    places: windows.firstContacts(ELSEWHERE, NOON).length,
    windows,
  };
}
const unknown: Partial<Facts> = { recipient: "unknown" };

test("an unknown recipient counts once for each network, whichever address asks; bounces count separately", () => {
  const counts = after(
    { facts: unknown },
    { facts: unknown, from: "203.0.113.8" },
    { facts: unknown, from: "198.51.100.7" },
    { facts: unknown, event: { recipient: "other@example.org" } },
    { facts: unknown, event: { sender: "" } },
  );
  assert.deepEqual([counts.probes, counts.bounces, counts.places], [3, 1, 0]);
});

test("names count once each for the network that asked for them, for an hour, and those of bounces separately", () => {
  const own = neighbourhoodOf(ip("203.0.113.99"), 64);
  const named = (...recipients: readonly string[]): readonly Asked[] =>
    recipients.map((recipient) => ({ facts: unknown, event: { recipient } }));
  const { windows } = after(...named("a@example.org", "b@example.org", "a@example.org"));
  assert.deepEqual([windows.namesProbed(own, NOON), windows.namesProbed(ELSEWHERE, NOON)], [2, 0]);
  assert.equal(windows.namesProbed(own, later(NOON, HOUR_MS)), 0);
  const twenty = named(...Array.from({ length: 20 }, (_, i) => `${i}@example.org`));
  const more = after(...twenty, { facts: unknown, event: { sender: "" } }).windows;
  assert.equal(more.namesProbed(own, NOON), 21);
  const flood = named(...Array.from({ length: 10_011 }, (_, i) => `${i}@example.org`));
  assert.equal(after(...flood).windows.namesProbed(own, NOON), 10_010, "beyond the first ten, the latest 10,000");
});

test("a place that writes for the first time counts once", () => {
  const first = { facts: { isFirstContact: true }, reason: "greylist_asked" } as const;
  const { places, windows } = after(first, first, { ...first, from: "203.0.113.8" });
  assert.equal(places, 2);
  assert.ok(windows.isAmongFirstContacts(placeOf("203.0.113.8"), NOON));
  assert.ok(!windows.isAmongFirstContacts(placeOf("203.0.113.9"), NOON));
});

test("ten unknown recipients of a network count for others, and all for the network itself", () => {
  const names = Array.from({ length: 30 }, (_, i) => `name${i}@example.org`);
  const asSender = (sender: string) => names.map((recipient) => ({ facts: unknown, event: { recipient, sender } }));
  const { probes, bounces, windows } = after(...asSender(""), ...asSender("a@sender.test"));
  assert.deepEqual([probes, bounces], [10, 10]);
  assert.equal(windows.probes(asked(), placeOf("203.0.113.9").network, NOON).length, 30);
});

test("five places of a network count for others, and all for the network itself", () => {
  const hosts = Array.from({ length: 6 }, (_, i) => `2001:db8:7:${i.toString(16)}::1`);
  const first = { facts: { isFirstContact: true }, reason: "greylist_asked" } as const;
  const { places, windows } = after(...[...hosts, ...hosts].map((from) => ({ from, ...first })));
  assert.equal(places, 5);
  assert.equal(windows.firstContacts(placeOf("2001:db8:7::1").network, NOON).length, 6);
  assert.ok(hosts.every((from) => windows.isAmongFirstContacts(placeOf(from), NOON)));
});

test("accounts, known places, wanted servers, exempt addresses and clients refused anyway do not count", () => {
  const counts = after(
    { facts: { ...unknown, isKnown: true } },
    { facts: { ...unknown, protection: "allow_listed" } },
    { facts: unknown, event: { account: "anna@example.org" } },
    { facts: unknown, reason: "banned" },
    { facts: { isFirstContact: true }, reason: "block_listed" },
    { facts: { isFirstContact: false }, reason: "below_limit" },
    { facts: { isFirstContact: true }, reason: "recipients_deferred" },
    { facts: { isFirstContact: true, isWanted: true }, reason: "greylist_asked" },
  );
  assert.deepEqual([counts.probes, counts.bounces, counts.places], [0, 0, 0]);
});
