// Invariant: Idle connections keep no one out.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { ip } from "../../../test/kit/samples.ts";
import { connectionName } from "../events/connection.ts";
import { prefixOf } from "../net/ip.ts";
import { type Connection } from "./connection-shares.ts";
import { type ConnectionProgress, crowdedPorts, type PortPlan, type PortRules, planRoom } from "./crowded-ports.ts";

const KNOWN = "203.0.113.7";
const ALLOWED = "203.0.113.8";
const WANTED = "203.0.113.9";
const PLACES = 30;
const CROWDED = 20;
const NEARLY_FULL = 28;
const rules: PortRules = {
  places: new Map([[25, PLACES]]),
  shares: new Map(),
  prefixOf: (address) => prefixOf(address, 64),
  isKnown: (prefix) => prefix === `${KNOWN}/32`,
  isWanted: (prefix) => prefix === `${WANTED}/32`,
  ownerOf: (prefix) => prefix,
  isExempt: (address) => address === ALLOWED,
};

type Held = Connection & ConnectionProgress;
function held(from: string, count: number, progress: Partial<ConnectionProgress> = {}): readonly Held[] {
  const how = { stalledMs: 10_000, silentMs: 10_000, isTransferring: false, ...progress };
  return Array.from({ length: count }, (_, i) => ({ ip: ip(from), clientPort: 40_000 + i, port: 25, ...how }));
}
/** Each in a different network. */
const host = (i: number): string => `198.51.${i}.1`;
const spread = (hosts: number, progress?: Partial<ConnectionProgress>): readonly Held[] =>
  Array.from({ length: hosts }, (_, i) => held(host(i + 1), 1, progress)).flat();
function plan(open: readonly Held[], asked = rules): PortPlan {
  const by = new Map(open.map((one) => [connectionName(one), one]));
  const progressOf = (one: Connection): ConnectionProgress => by.get(connectionName(one)) ?? assert.fail("not open");
  return planRoom(25, open, progressOf, asked);
}
const cut = (open: readonly Held[]): readonly Connection[] => plan(open).cut;
const TALKS = { stalledMs: 300, silentMs: 0 };
const from = (connections: readonly Connection[]): readonly string[] => [...new Set(connections.map(({ ip }) => ip))];

test("a port is crowded from two thirds of its places on; one without places never is", () => {
  assert.deepEqual([...crowdedPorts(spread(CROWDED - 1), rules.places).keys()], []);
  assert.deepEqual([...crowdedPorts(spread(CROWDED), rules.places).keys()], [25]);
  assert.deepEqual([...crowdedPorts(spread(CROWDED), new Map()).keys()], []);
});

test("connections are ended until the port is no longer crowded", () => {
  assert.equal(cut(spread(CROWDED)).length, 1);
  assert.equal(cut(spread(PLACES + 5)).length, PLACES + 5 - (CROWDED - 1));
});

test("the prefix that holds most loses first", () =>
  assert.deepEqual(from(cut([...spread(18), ...held(host(100), 4)])), [host(100)]));

test("a user with many known places does not fill a port: from 95 % on, connections of the prefix with most are ended one by one", () => {
  const known = { ...rules, isKnown: () => true };
  const filled = [...held(host(2), 12, { isTransferring: true }), ...held(host(1), 13, TALKS), ...held(KNOWN, 5)];
  const { cut: ended, refused, worst } = plan(filled, known);
  assert.deepEqual(ended.map(({ ip }) => ip).toSorted(), [host(1), host(1), host(2)]);
  assert.deepEqual([refused, worst], [[], `${host(1)}/32`]);
  assert.equal(plan(filled.slice(3), known).cut.length, 0);
  const few = Array.from({ length: 3 }, (_, i) => held(host(i), 11)).flat();
  assert.equal(plan(few, known).cut.length, 3, "each keeps the ten of a few devices");
});

test("a server that speaks keeps its three connections among strangers with one each", () => {
  const server = held(host(100), 3, { stalledMs: 2_000, silentMs: 100 });
  assert.ok(!from(cut([...server, ...spread(PLACES)])).includes(host(100)));
});

test("of those that hold the same number, the one without progress for longest is ended first", () => {
  for (const longer of [{ stalledMs: 20_000 }, { silentMs: 20_000 }] as const)
    assert.deepEqual(from(cut([...spread(CROWDED - 1), ...held(host(100), 1, longer)])), [host(100)]);
});

test("a connection is idle after three seconds of silence, or half a minute without progress", () => {
  const ended = (silentMs: number, stalledMs: number) => cut(spread(CROWDED, { silentMs, stalledMs })).length;
  assert.deepEqual([ended(2_999, 29_999), ended(3_000, 0), ended(0, 30_000)], [0, 1, 1]);
});

test("neighbouring IPv6 sites do not count together", () => {
  const sites = ["2001:db8:4::1", "2001:db8:5::1"].flatMap((site) => held(site, 1, { stalledMs: 9_000 }));
  assert.deepEqual(from(cut([...sites, ...spread(CROWDED - 2)])), [host(1)]);
});

test("a stranger who keeps talking without progress is cut before a newcomer", () => {
  const chatty = spread(CROWDED - 1, { silentMs: 0, stalledMs: 31_000 });
  const newcomer = held(host(100), 3, { silentMs: 0, stalledMs: 1_000 });
  assert.equal(cut([...chatty, ...newcomer]).length, 3);
  assert.ok(!from(cut([...chatty, ...newcomer])).includes(host(100)));
});

test("a newcomer who talks stays while mails fill two thirds of the port, and while places are left", () => {
  const mails = spread(CROWDED - 1, { isTransferring: true });
  assert.deepEqual(plan([...mails, ...held(host(100), 1, TALKS)]).cut, []);
  assert.deepEqual(plan(spread(NEARLY_FULL - 1, TALKS)).cut, []);
});

test("from 95 % on the oldest that are not idle are ended too, until fewer are taken, and may reconnect", () => {
  const old = held(host(100), 1, { stalledMs: 2_000, silentMs: 0 });
  const { cut: ended, refused } = plan([...spread(NEARLY_FULL - 1, TALKS), ...old]);
  assert.deepEqual([from(ended), refused], [[host(100)], []]);
  assert.equal(cut(spread(PLACES + 5, TALKS)).length, PLACES + 5 - (NEARLY_FULL - 1));
});

test("idle connections are ended first, and their prefixes refused, so the others stay", () => {
  const { cut: ended, refused } = plan([...spread(PLACES - 4, TALKS), ...held(host(100), 4)]);
  assert.deepEqual([from(ended), ended.length, refused], [[host(100)], 4, [`${host(100)}/32`]]);
});

test("if strangers may have only a share of the places, 95 % of the share count", () => {
  const shared = { ...rules, shares: new Map([[25, 24]]) };
  assert.equal(plan(spread(21, TALKS), shared).cut.length, 0);
  assert.equal(plan(spread(24, TALKS), shared).cut.length, 3);
});

test("an address keeps its two latest mails on a crowded port; of the others the oldest is ended first", () => {
  const mails = held(host(100), 5, { silentMs: 0, isTransferring: true });
  const trickling = mails.map((one, i) => ({ ...one, stalledMs: 31_000 + i }));
  const ports = cut([...spread(CROWDED, TALKS), ...trickling]).map(({ clientPort }) => clientPort);
  assert.deepEqual(ports, [40_004, 40_003, 40_002]);
});

test("seven addresses cannot hold the port with slow mails", () => {
  const slow = Array.from({ length: 7 }, (_, i) =>
    held(host(i + 1), 4, { silentMs: 0, stalledMs: 40_000, isTransferring: true }),
  ).flat();
  const newcomer = held(host(100), 2, TALKS);
  const ended = cut([...slow, ...newcomer]);
  assert.equal(slow.length + newcomer.length - ended.length, CROWDED - 1);
  assert.ok(!from(ended).includes(host(100)));
});

for (const [network, addressOf] of [
  ["an IPv6 site", (i: number) => `2001:db8:7:${i.toString(16)}::1`],
  ["an IPv4 network", (i: number) => `198.51.100.${i}`],
] as const)
  for (const areWanted of [false, true])
    test(`not even all addresses of ${network} can hold the port with slow mails${areWanted ? " that are wanted" : ""}`, () => {
      const asked = { ...rules, isWanted: areWanted ? () => true : rules.isWanted };
      const slow = Array.from({ length: 15 }, (_, i) => held(addressOf(i), 2, { silentMs: 0, isTransferring: true }));
      const newcomer = [...held(host(1), 2, TALKS), ...held(host(2), 1, { silentMs: 0, isTransferring: true })];
      const { cut: ended } = plan([...slow.flat(), ...newcomer], asked);
      assert.equal(slow.flat().length + newcomer.length - ended.length, NEARLY_FULL - 1);
      assert.ok(!from(ended).some((address) => address === host(1) || address === host(2)));
    });

test("a server with wanted mail keeps its mails, is cut last, only from 95 % on, and is not refused", () => {
  const wanted = held(WANTED, 3, { stalledMs: 60_000, silentMs: 60_000 });
  assert.deepEqual(cut([...wanted, ...spread(CROWDED + 1, TALKS)]), []);
  assert.ok(!from(cut([...wanted, ...spread(PLACES, TALKS)])).includes(WANTED));
  const idle = held(WANTED, NEARLY_FULL);
  const { cut: ended, refused } = plan(idle);
  assert.deepEqual([ended.length, refused], [1, []]);
  assert.equal(cut(idle.map((one) => ({ ...one, isTransferring: true }))).length, 1, "but not a whole port");
});

test("idle connections of one network with wanted mail keep no newcomer out", () => {
  const idle = Array.from({ length: 10 }, (_, i) => held(`2001:db8:7:${i}::1`, 3)).flat();
  const wanted: PortRules = { ...rules, isWanted: (prefix) => prefix !== `${host(1)}/32` };
  const { cut: ended, refused } = plan([...idle, ...held(host(1), 2, TALKS)], wanted);
  assert.deepEqual([ended.length, refused], [5, []]);
  assert.ok(!from(ended).includes(host(1)));
});

test("a network that uses a new address for each connection is cut before newer connections of others", () => {
  const many = Array.from({ length: PLACES }, (_, i) => held(`2001:db8:7:${i.toString(16)}::1`, 1, TALKS)).flat();
  const newcomer = held(host(1), 2, { ...TALKS, stalledMs: 2_000 });
  const { cut: ended } = plan([...many, ...newcomer]);
  assert.equal(ended.length, PLACES + 2 - (NEARLY_FULL - 1));
  assert.ok(!from(ended).includes(host(1)));
});

test("an account keeps no more with ten known places than with one, and other accounts lose nothing", () => {
  const ofOne = Array.from({ length: 14 }, (_, i) => held(host(i), 2, { isTransferring: true })).flat();
  const ownerOf = (prefix: string) => (prefix === `${KNOWN}/32` ? "anna" : "bert");
  const known: PortRules = { ...rules, isKnown: () => true, ownerOf };
  const { cut: ended } = plan([...ofOne, ...held(KNOWN, 2)], known);
  assert.equal(ended.length, 3, "until 95 % are taken");
  assert.ok(!from(ended).includes(KNOWN));
  const lost = [27, 28].map((count) => plan(ofOne.slice(0, count), known).cut.length);
  assert.deepEqual(lost, [0, 1]);
});

const SLOW = { silentMs: 0, stalledMs: 900, isTransferring: true };
/** Two mails of each address of a network. */
const mailsOf = (addresses: number): readonly Held[] =>
  Array.from({ length: addresses }, (_, i) => held(`198.51.100.${i + 1}`, 2, SLOW)).flat();
for (const [kept, mails, isWanted, lost] of [
  ["two of an address", held(host(2), 400, SLOW), false, 1],
  ["a twentieth of the places for a network", mailsOf(211), false, 2],
  ["a tenth of the places for a network with wanted mail", mailsOf(221), true, 1],
] as const)
  test(`mails that are kept do not count when a full port is shared: ${kept}`, () => {
    const large = { ...rules, places: new Map([[25, 840]]), isWanted: () => isWanted };
    const { cut: ended } = plan([...mails, ...held(host(1), 840 - mails.length, TALKS)], large);
    assert.deepEqual([ended.length, ended.filter(({ ip }) => ip !== host(1)).length], [43, lost]);
  });

test("strangers keep a fifth of the places, however many known places hold", () =>
  assert.equal(cut([...held(KNOWN, CROWDED), ...spread(10)]).length, 4));

test("known places, exempt addresses, three wanted mails and two mails of each are never cut; the rest is bounded", () => {
  const addresses = fc.constantFrom(KNOWN, ALLOWED, WANTED, ...Array.from({ length: 12 }, (_, i) => host(i + 1)));
  const times = { stalledMs: fc.nat(60_000), silentMs: fc.nat(60_000) };
  const groups = fc.array(fc.record({ from: addresses, ...times, isTransferring: fc.boolean() }), { maxLength: 80 });
  fc.assert(
    fc.property(groups, (group) => {
      const open = group.map((one, i) => ({ ...one, ip: ip(one.from), clientPort: 1_024 + i, port: 25 }));
      const gone = new Set(open.length < CROWDED ? [] : cut(open));
      const ended = open.filter((one) => gone.has(one));
      assert.ok(ended.every(({ from }) => from !== KNOWN && from !== ALLOWED));
      for (const address of new Set(ended.filter(({ isTransferring }) => isTransferring).map((one) => one.from))) {
        const left = open.filter((one) => one.from === address && one.isTransferring && !gone.has(one));
        assert.ok(left.length >= (address === WANTED ? 3 : 2));
      }
      if (open.length < NEARLY_FULL) assert.ok(ended.every((one) => one.silentMs >= 3_000 || one.stalledMs >= 30_000));
      assert.ok(gone.size <= Math.max(0, open.length - (CROWDED - 1)));
    }),
  );
});
