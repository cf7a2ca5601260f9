import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { ip } from "../../../test/kit/samples.ts";
import { prefixOf } from "../net/ip.ts";
import { type CrowdRules, crowdedPorts, planRoom, type Standing } from "./crowded-ports.ts";
import { type Connection, type ConnectionRules, connectionKey } from "./open-connections.ts";

const KNOWN = "203.0.113.7";
const ALLOWED = "203.0.113.8";
const WANTED = "203.0.113.9";
const PLACES = 30;
const CROWDED = 20;
const unitOf: ConnectionRules["unitOf"] = (address) => prefixOf(address, 64);
const rules: CrowdRules = {
  places: new Map([[25, PLACES]]),
  unitOf,
  isKnown: (unit) => unit === `${KNOWN}/32`,
  isWanted: (unit) => unit === `${WANTED}/32`,
  isExempt: (address) => address === ALLOWED,
};

type Held = Connection & Standing;
function held(from: string, count: number, standing: Partial<Standing> = {}): readonly Held[] {
  const how = { stalledMs: 10_000, silentMs: 10_000, isTransferring: false, ...standing };
  return Array.from({ length: count }, (_, i) => ({ ip: ip(from), clientPort: 40_000 + i, port: 25, ...how }));
}
const host = (i: number): string => `198.51.100.${i}`;
const spread = (hosts: number, each: number, standing?: Partial<Standing>): readonly Held[] =>
  Array.from({ length: hosts }, (_, i) => held(host(i + 1), each, standing)).flat();
function cut(open: readonly Held[]): readonly Connection[] {
  const by = new Map(open.map((one) => [connectionKey(one), one]));
  const standing = (one: Connection): Standing => by.get(connectionKey(one)) ?? assert.fail("not open");
  return planRoom(25, open, standing, rules).cut;
}
const from = (connections: readonly Connection[]): readonly string[] => [...new Set(connections.map(({ ip }) => ip))];

test("a port is crowded from two thirds of its places on; one without places never is", () => {
  assert.deepEqual([...crowdedPorts(spread(CROWDED - 1, 1), rules.places).keys()], []);
  assert.deepEqual([...crowdedPorts(spread(CROWDED, 1), rules.places).keys()], [25]);
  assert.deepEqual([...crowdedPorts(spread(CROWDED, 1), new Map()).keys()], []);
});

test("room is made until the port is no longer crowded", () => {
  assert.equal(cut(spread(CROWDED, 1)).length, 1);
  assert.equal(cut(spread(PLACES + 5, 1)).length, PLACES + 5 - (CROWDED - 1));
});

test("the unit that holds most goes first", () => {
  assert.deepEqual(from(cut([...spread(18, 1), ...held(host(100), 4)])), [host(100)]);
});

test("a server that speaks keeps its three connections among strangers with one each", () => {
  const server = held(host(100), 3, { stalledMs: 2_000, silentMs: 100 });
  assert.ok(!from(cut([...server, ...spread(PLACES, 1)])).includes(host(100)));
});

test("of those that hold alike, the one that got nowhere for longest goes first", () => {
  const old = held(host(100), 1, { stalledMs: 20_000, silentMs: 20_000 });
  assert.deepEqual(from(cut([...spread(CROWDED - 1, 1), ...old])), [host(100)]);
});

test("a stranger who says something all the time, and gets nowhere, goes before a newcomer", () => {
  const chatty = spread(CROWDED - 1, 1, { silentMs: 0, stalledMs: 31_000 });
  const newcomer = held(host(100), 3, { silentMs: 0, stalledMs: 1_000 });
  assert.equal(cut([...chatty, ...newcomer]).length, 3);
  assert.ok(!from(cut([...chatty, ...newcomer])).includes(host(100)));
});

test("a server with wanted mail goes last", () => {
  const wanted = held(WANTED, 4, { stalledMs: 60_000, silentMs: 60_000 });
  assert.ok(!from(cut([...wanted, ...spread(CROWDED, 1, { silentMs: 0, stalledMs: 0 })])).includes(WANTED));
});

test("strangers keep a fifth of the places, however many known places hold", () => {
  assert.equal(cut([...held(KNOWN, CROWDED), ...spread(10, 1)]).length, 4);
});

test("known places, exempt addresses and mail on its way are never cut; the rest is bounded", () => {
  const groups = fc.array(
    fc.record({
      from: fc.constantFrom(KNOWN, ALLOWED, WANTED, ...Array.from({ length: 12 }, (_, i) => host(i + 1))),
      stalledMs: fc.nat(60_000),
      silentMs: fc.nat(60_000),
      isTransferring: fc.boolean(),
    }),
    { maxLength: 80 },
  );
  fc.assert(
    fc.property(groups, (group) => {
      const open = group.map((one, i) => ({ ...one, ip: ip(one.from), clientPort: 1_024 + i, port: 25 }));
      const gone = new Set(open.length < CROWDED ? [] : cut(open));
      const ended = open.filter((one) => gone.has(one));
      assert.ok(ended.every((one) => one.from !== KNOWN && one.from !== ALLOWED && !one.isTransferring));
      assert.ok(gone.size <= Math.max(0, open.length - (CROWDED - 1)));
    }),
  );
});
