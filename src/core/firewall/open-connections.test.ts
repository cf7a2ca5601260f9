// Invariant: Only a finished handshake counts against an address.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { ip } from "../../../test/kit/samples.ts";
import { connectionName } from "../events/connection.ts";
import { type Ip, prefixOf } from "../net/ip.ts";
import { type Connection, type ConnectionRules, planConnections, shareOfStrangers } from "./connection-shares.ts";

const KNOWN = "203.0.113.7";
const ALLOWED = "203.0.113.8";
const rules: ConnectionRules = {
  most: 3,
  mostKnown: 5,
  perPort: true,
  ports: [25, 587, 993],
  places: new Map([[587, 8]]),
  shares: new Map([[993, 8]]),
  prefixOf: (address) => prefixOf(address, 64),
  isKnown: (prefix) => prefix === `${KNOWN}/32`,
  isExempt: (address) => address === ALLOWED,
};
const NONE: ReadonlySet<string> = new Set();

function connections(from: string, count: number, port = 25): readonly Connection[] {
  return Array.from({ length: count }, (_, i) => ({ ip: ip(from), clientPort: 40_000 + i, port }));
}
const prefix = (text: string) => prefixOf(ip(text), 64);
const plan = (open: readonly Connection[], asked = rules) => planConnections(open, NONE, asked);

for (const [from, count, cut] of [
  ["198.51.100.1", 5, 2],
  [KNOWN, 6, 1],
] as const)
  test(`${cut} of ${count} connections of ${from} are ended, and no more are accepted`, () => {
    const open = connections(from, count);
    const refused = [{ prefix: prefix(from), port: 25 }];
    assert.deepEqual(plan(open), { refused, full: [], excess: open.slice(0, cut) });
  });

test("on a port with few places no address has more than half of them, not even a known one", () => {
  const few = connections(KNOWN, 4, 587);
  assert.deepEqual(plan(few.slice(1)).refused, []);
  assert.deepEqual(plan(few).refused, [{ prefix: prefix(KNOWN), port: 587 }]);
  assert.equal(plan(connections(KNOWN, 6, 587)).excess.length, 2);
  const fewer = { ...rules, places: new Map([[25, 4]]) };
  assert.equal(plan(connections("198.51.100.1", 2), fewer).refused.length, 1, "a stranger");
});

test("an IPv6 network counts as one, at each port separately", () => {
  const inOne = ["2001:db8::1", "2001:db8::2", "2001:db8::3"].flatMap((from) => connections(from, 1));
  assert.deepEqual(plan(inOne).refused, [{ prefix: prefix("2001:db8::"), port: 25 }]);
  const spread = [...connections("2001:db8::1", 2), ...connections("2001:db8::1", 2, 993)];
  assert.deepEqual(plan(spread).refused, []);
});

test("connections to all ports count together, unless the owner wants each port counted on its own", () => {
  const together = { ...rules, perPort: false };
  const everywhere = (prefixName: string) => together.ports.map((port) => ({ prefix: prefix(prefixName), port }));
  const spread = [25, 587, 993, 465].flatMap((port) => connections("198.51.100.1", 1, port));
  const { refused, excess } = plan(spread, together);
  assert.deepEqual(refused, everywhere("198.51.100.1"));
  assert.equal(excess.length, 1);
  assert.deepEqual(plan(spread.slice(0, 2), together).refused, []);
  const onOne = plan(connections("198.51.100.1", 3), together);
  assert.deepEqual(onOne.refused, everywhere("198.51.100.1"), "each port once");
  const atHome = [25, 993].flatMap((port) => connections(KNOWN, 2, port));
  assert.deepEqual(plan(atHome, together).refused, [], "a known address");
  const more = plan([...atHome, ...connections(KNOWN, 2, 465)], together);
  assert.deepEqual([more.refused, more.excess.length], [everywhere(KNOWN), 1]);
  const few = plan(connections(KNOWN, 4, 587), together);
  assert.deepEqual(few.refused, [{ prefix: prefix(KNOWN), port: 587 }], "half of a port's places at most");
});

test("keeps connections that the previous check saw, and all of them at the first check", () => {
  const open = connections("198.51.100.1", 6);
  const before = new Set(open.slice(0, 4).map(connectionName));
  assert.deepEqual(planConnections(open, before, rules).excess, open.slice(4));
  assert.deepEqual(planConnections(open, null, rules).excess, []);
  assert.equal(planConnections(open, null, rules).refused.length, 1);
});

test("strangers who hold their share of a port leave the rest to known addresses", () => {
  const strangers = [1, 2, 3, 4, 5].flatMap((host) => connections(`198.51.100.${host}`, 2, 993));
  const { full, excess } = plan([...strangers, ...connections(KNOWN, 4, 993)]);
  assert.deepEqual({ full, excess }, { full: [993], excess: [strangers[0], strangers[2]] });
  const few = strangers.slice(0, 7);
  assert.deepEqual(plan([...few, ...connections(KNOWN, 4, 993)]).full, []);
  assert.deepEqual(plan(strangers.slice(0, 8)).full, [993]);
  assert.deepEqual(plan(connections("198.51.100.1", 2)).full, [], "other ports have none");
});

test("if strangers hold more than their share, the prefixes that hold most lose first", () => {
  const [few, most, some] = [1, 2, 3].map((host) => connections(`198.51.100.${host}`, [1, 30, 9][host - 1] ?? 0, 993));
  const wide = { ...rules, most: 50, shares: new Map([[993, 16]]) };
  const of = (...lists: readonly (readonly Connection[] | undefined)[]) => lists.flatMap((list) => list ?? []);
  for (const open of [of(few, most, some), of(most, some, few), of(some, few, most)]) {
    const { excess } = plan(open, wide);
    const lost = (list: readonly Connection[] | undefined) => excess.filter((one) => list?.includes(one)).length;
    assert.deepEqual([lost(few), lost(most) > 0, lost(some) > 0], [0, true, true]);
    assert.ok(Math.abs(30 - lost(most) - (9 - lost(some))) <= 1, "both are brought down to the same");
    assert.equal(excess.length, 24);
  }
});

const clients = fc.constantFrom<Ip>(...[KNOWN, ALLOWED, "198.51.100.1", "198.51.100.2", "198.51.100.3"].map(ip));
const anyOf = fc.record({ ip: clients, clientPort: fc.nat(40), port: fc.constantFrom(25, 993) });
const opened = fc.uniqueArray(anyOf, { selector: connectionName, maxLength: 60 });
test("a prefix within its limit and the allow list are never refused or cut, and the rest is within every limit", () => {
  fc.assert(
    fc.property(opened, (open) => {
      const { refused, full, excess } = plan(open);
      const left = open.filter((one) => !excess.includes(one));
      assert.ok(excess.every((one) => one.ip !== ALLOWED));
      for (const address of new Set(open.map((one) => one.ip)))
        for (const port of [25, 993]) {
          const mine = (list: readonly Connection[]) => list.filter((c) => c.ip === address && c.port === port).length;
          const most = address === ALLOWED ? Number.POSITIVE_INFINITY : address === KNOWN ? 5 : 3;
          assert.ok(mine(left) <= most);
          const isRefused = refused.some((one) => one.port === port && one.prefix === prefix(address));
          assert.equal(isRefused, mine(open) >= most);
          if (mine(open) <= most && (port === 25 || address === KNOWN)) assert.equal(mine(left), mine(open));
        }
      const strangers = left.filter((one) => one.port === 993 && one.ip !== KNOWN && one.ip !== ALLOWED);
      assert.ok(strangers.length <= 8);
      assert.ok(full.every((port) => port === 993));
    }),
  );
});

test("a fifth of the connections is reserved for known addresses", () => {
  assert.deepEqual([100, 400].map(shareOfStrangers), [80, 320]);
  assert.equal(shareOfStrangers(6), 4);
});
