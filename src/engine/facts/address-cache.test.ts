import assert from "node:assert/strict";
import { test } from "node:test";
import { BAN, factsOf, ip, MAIL, NOON, POLICY, STRANGER } from "../../../test/kit/samples.ts";
import { type Prefix, parsePrefix } from "../../core/net/ip.ts";
import { DAY_MS, HOUR_MS, later, MINUTE_MS, type Millis } from "../../core/time.ts";
import type { AddressHistory, History, Reach } from "../ports.ts";
import { AddressCache, mostTimes, push, type Who } from "./address-cache.ts";
import { ProtectionList } from "./protection.ts";

const EMPTY: AddressHistory = {
  ban: null,
  offencesAt: [],
  knownAt: null,
  connections: [],
  mails: [],
  failures: [],
  probes: [],
  bounces: [],
};
/** Not what a state of an address has itself. */
const {
  subject: _subject,
  network: _network,
  ip: _ip,
  protection: _protection,
  known: _known,
  ban: _ban,
  offences: _offences,
  connections: _connections,
  mails: _mails,
  failures: _failures,
  probes: _probes,
  bounces: _bounces,
  accountMails: _accountMails,
  ...BEYOND
} = factsOf();

/** A book over a history that counts what it is asked. */
function kit(known: Partial<AddressHistory> = {}) {
  const asked: string[] = [];
  const reaches: Reach[] = [];
  const history: History = {
    address: (prefix, reach) => {
      asked.push(prefix);
      reaches.push(reach);
      return { ...EMPTY, ...known };
    },
    accountMails: (account, since) => {
      asked.push(`${account} since ${NOON - since} ms`);
      return [later(NOON, -1_000)];
    },
    ban: () => assert.fail("the book reads whole addresses"),
    bansWithin: () => assert.fail("the book reads whole addresses"),
    allowed: () => [],
  };
  const book = new AddressCache(history, new ProtectionList({ current: () => [] }, history));
  const state = (text: string, now: Millis = NOON) => book.state(POLICY, ip(text), now);
  return { book, asked, reaches, state };
}

function network(text: string): Prefix {
  const parsed = parsePrefix(text);
  assert.ok(parsed !== null, text);
  return parsed;
}

function address(i: number): string {
  return `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`;
}

test("an address is read once, as far back as any limit reaches, with what stands around it", () => {
  const { asked, reaches, state } = kit();
  assert.equal(state("2001:db8:1:2::7").subject, "2001:db8:1:2::/64");
  assert.equal(state("2001:db8:1:2::8").network, "2001:db8:1::/48");
  assert.deepEqual(asked, ["2001:db8:1:2::/64"]);
  assert.deepEqual(reaches, [
    {
      sinceConnections: later(NOON, -HOUR_MS),
      sinceMails: later(NOON, -DAY_MS),
      sinceFailures: later(NOON, -10 * MINUTE_MS),
      sinceProbes: later(NOON, -HOUR_MS),
      most: 601,
    },
  ]);
});

test("what lies ahead is from before the clock was set back, and counts no more", () => {
  const times = [later(NOON, -1), NOON, later(NOON, 1)];
  const failures = times.map((at) => ({ at, passwordHash: "", account: "" }));
  const read = kit({ connections: times, mails: times, probes: times, bounces: times, failures }).state("203.0.113.7");
  for (const list of [read.connections, read.mails, read.probes, read.bounces])
    assert.deepEqual(list, times.slice(0, 2));
  assert.deepEqual(read.failures, failures.slice(0, 2));
});

test("a sign-in and an offence are remembered for a week, to the millisecond", () => {
  const week = 7 * DAY_MS;
  for (const [ago, counts] of [
    [week - 1, true],
    [week, false],
  ] as const) {
    const at = later(NOON, -ago);
    const { book, state } = kit({ knownAt: at, offencesAt: [at, later(NOON, -1)], ban: BAN });
    const facts = book.facts(POLICY, state("203.0.113.7"), { ...BEYOND, ...who("203.0.113.7") }, NOON);
    assert.deepEqual([facts.known, facts.offences, facts.ban], [counts, counts ? 2 : 1, BAN]);
  }
  const once = kit({ offencesAt: [NOON] });
  const known = { ...BEYOND, ...who("203.0.113.7") };
  assert.equal(once.book.facts(POLICY, once.state("203.0.113.7"), known, NOON).offences, 1);
  const { book, state } = kit();
  const facts = book.facts(POLICY, state("203.0.113.7"), { ...BEYOND, ...who("203.0.113.7") }, NOON);
  assert.deepEqual([facts.known, facts.offences, facts.accountMails], [false, 0, []]);
});

function countMail(book: AddressCache, account: string): void {
  const state = book.state(POLICY, STRANGER, NOON);
  book.count(POLICY, { ...MAIL, type: "MAIL", recipientCount: 1, account }, state, NOON);
}

test("the mails of an account are read once, a day back, and what it sends is added", () => {
  const { book, asked, state } = kit();
  const facts = () =>
    book.facts(POLICY, state("203.0.113.7"), { ...BEYOND, ...who("203.0.113.7", "anna@example.org") }, NOON)
      .accountMails;
  assert.equal(facts().length, 1);
  countMail(book, "anna@example.org");
  assert.deepEqual(facts(), [later(NOON, -1_000), NOON]);
  assert.deepEqual(asked, ["203.0.113.7/32", `anna@example.org since ${DAY_MS} ms`]);
});

test("two thousand addresses are held, those that were seen last", () => {
  const { asked, state } = kit();
  for (let i = 0; i < 2_048; i++) state(address(i));
  state(address(0));
  assert.equal(asked.length, 2_048);
  state(address(2_048));
  state(address(0));
  assert.equal(asked.length, 2_049, "the first was seen again, so another went");
  state(address(1));
  assert.equal(asked.length, 2_050);
});

test("a thousand accounts are held", () => {
  const { book, asked } = kit();
  for (let i = 0; i < 1_024; i++) countMail(book, `user${i}@example.org`);
  countMail(book, "user0@example.org");
  assert.equal(asked.length, 1 + 1_024, "with the address that they send from");
  countMail(book, "user1024@example.org");
  countMail(book, "user0@example.org");
  assert.equal(asked.length, 1 + 1_026);
});

test("what changes about one unit is read anew for that unit; about a wider network, for all", () => {
  for (const [dropped, asksAgain] of [
    ["203.0.113.7/32", ["203.0.113.7"]],
    ["2001:db8:1:2::/64", ["2001:db8:1:2::7"]],
    ["203.0.113.0/24", ["203.0.113.7", "2001:db8:1:2::7"]],
    ["2001:db8:1::/48", ["203.0.113.7", "2001:db8:1:2::7"]],
  ] as const) {
    const { book, asked, state } = kit();
    for (const text of ["203.0.113.7", "2001:db8:1:2::7"]) state(text);
    book.drop(network(dropped), POLICY);
    asked.length = 0;
    for (const text of ["203.0.113.7", "2001:db8:1:2::7"]) state(text);
    assert.deepEqual(
      asked,
      asksAgain.map((text) => state(text).subject),
      dropped,
    );
  }
});

test("what is forgotten is read anew: addresses, accounts and the units themselves", () => {
  const { book, asked, state } = kit();
  state("203.0.113.7");
  countMail(book, "anna@example.org");
  book.forget();
  assert.equal(book.peek(network("203.0.113.7")), undefined);
  state("203.0.113.7");
  countMail(book, "anna@example.org");
  assert.equal(asked.length, 4);
  assert.equal(state("2001:db8:1:2::7").subject, "2001:db8:1:2::/64");
  book.forget();
  const wider = { ...POLICY, bans: { ...POLICY.bans, ipv6Prefix: 56 } };
  assert.equal(book.state(wider, ip("2001:db8:1:2::7"), NOON).subject, "2001:db8:1::/56");
});

test("a list keeps as many as are needed, and is cut once it is twice as long", () => {
  const list = [1, 2, 3, 4, 5];
  push(list, 6, 3);
  assert.deepEqual(list, [1, 2, 3, 4, 5, 6]);
  push(list, 7, 3);
  assert.deepEqual(list, [5, 6, 7]);
});

test("as many times are kept as the widest limit of a known address needs", () => {
  assert.equal(mostTimes(POLICY), 3 * 200 + 1);
  const few = { ...POLICY, mail: [], connections: [], probes: [] };
  assert.equal(mostTimes({ ...few, logins: { ...POLICY.logins, failures: 50 } }), 150);
  const [limit] = POLICY.probes;
  assert.ok(limit !== undefined);
  for (const key of ["mail", "connections", "probes"] as const)
    assert.equal(mostTimes({ ...few, [key]: [{ ...limit, count: 1_000 }] }), 3_001);
});

function who(text: string, sender: string | null = null): Who {
  return { ip: ip(text), sender };
}
