import assert from "node:assert/strict";
import { test } from "node:test";
import { ip, MAIL, RECIPIENT } from "../../../test/kit/samples.ts";
import { settled } from "../../../test/kit/until.ts";
import type { Recipient } from "../../core/events/mail.ts";
import type { Ip, Prefix } from "../../core/net/ip.ts";
import type { DnsAnswer, NameLookup } from "../network-ports.ts";
import { createSenderProofs, expandSpf, SPF_LIMITS } from "./sender-proof.ts";

const FRIEND = "friend@friend.test";

type Zone = Readonly<
  Record<string, Readonly<{ txt?: readonly string[]; a?: readonly string[]; mx?: readonly string[] }>>
>;

/** A zone in memory that records the queried names. A query for `down.test` fails as with a server that is down. */
function lookupIn(zone: Zone): Readonly<{ lookup: NameLookup; asked: string[] }> {
  const asked: string[] = [];
  const answer = <T>(name: string, found: readonly T[] = []): Promise<DnsAnswer<T>> => {
    asked.push(name);
    return Promise.resolve(name === "down.test" ? { ok: false, reason: "no server answers" } : { ok: true, found });
  };
  const lookup: NameLookup = {
    texts: (name) => answer(name, zone[name]?.txt),
    addresses: (name): Promise<DnsAnswer<Ip>> => answer(name, zone[name]?.a?.map(ip)),
    exchanges: (name) => answer(name, zone[name]?.mx),
  };
  return { lookup, asked };
}

const ZONE: Zone = {
  "friend.test": { txt: ["v=spf1 include:_spf.friend.test -all"] },
  "_spf.friend.test": { txt: ["v=spf1 ip4:198.51.100.64/28 ~all"] },
  "bare.test": { mx: ["mx.bare.test"] },
  "mx.bare.test": { a: ["198.51.100.10"] },
  "six.test": { mx: ["mx.six.test"] },
  "mx.six.test": { a: ["2001:db8::10"] },
  "open.test": { txt: ["v=spf1 +all"] },
  "none.test": { txt: ["v=spf1 -all"], mx: ["mx.bare.test"] },
};

function event(sender: string, from: string): Recipient {
  return { ...RECIPIENT, sender, ip: ip(from) };
}

/** Looks for a proof of each sender, in this zone except for these answers. */
function proofsBy(answers: Partial<NameLookup> = {}, { lookup } = lookupIn(ZONE)) {
  return createSenderProofs({ needsSenderProof: () => true }, { ...lookup, ...answers });
}

for (const [that, sender, from, proven] of [
  ["a network of its SPF record", FRIEND, "198.51.100.70", true],
  ["the same, in a different case", "Friend@FRIEND.test", "198.51.100.70", true],
  ["another network", FRIEND, "198.51.100.90", false],
  ["no SPF record: a server that accepts its mail", "x@bare.test", "198.51.100.10", true],
  ["no SPF record: any other", "x@bare.test", "198.51.100.11", false],
  ["no SPF record: an IPv6 server that accepts its mail", "x@six.test", "2001:db8::10", true],
  ["no SPF record: its neighbour", "x@six.test", "2001:db8::11", false],
  ["a record that allows everyone", "x@open.test", "198.51.100.11", false],
  ["a record that allows no server", "x@none.test", "198.51.100.10", false],
  ["a DNS that does not answer", "x@down.test", "198.51.100.10", false],
  ["an address literal", "x@[198.51.100.10]", "198.51.100.10", false],
] as const)
  test(`${that}: ${proven ? "proven" : "not proven"}`, async () =>
    assert.equal(await proofsBy().prove(event(sender, from)), proven));

test("asks the DNS only if a proof would change anything", async () => {
  const { lookup, asked } = lookupIn(ZONE);
  const proofs = createSenderProofs({ needsSenderProof: ({ sender }) => sender === "x@bare.test" }, lookup);
  assert.equal(await proofs.prove(event(FRIEND, "198.51.100.70")), false);
  assert.deepEqual(asked, []);
  assert.equal(await proofs.prove(event("x@bare.test", "198.51.100.10")), true);
});

test("a mail waits a second and a half for the DNS, and an answered question frees its place", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const answers: (() => void)[] = [];
  const proofs = proofsBy({
    texts: () => new Promise((resolve) => answers.push(() => resolve({ ok: false, reason: "no server answers" }))),
  });
  let answered = 0;
  const ask = (from: string = MAIL.ip): void =>
    void proofs.prove(event(FRIEND, from)).then((proven) => (answered += proven ? 0 : 1));
  for (let i = 0; i < 50; i++) ask(`198.51.${i % 5}.${i}`);
  t.mock.timers.tick(1_499);
  await settled();
  assert.equal(answered, 0);
  t.mock.timers.tick(1);
  await settled();
  assert.equal(answered, 50);
  ask();
  assert.equal(answers.length, 50);
  answers[0]?.();
  await settled();
  for (let i = 0; i < 2; i++) ask();
  assert.equal(answers.length, 51);
});

test("slow domains of one network take ten places, and leave the others to other senders", async () => {
  const { lookup } = lookupIn(ZONE);
  let slowly = 0;
  const proofs = proofsBy({
    texts: (name) => (name === "slow.test" ? new Promise(() => (slowly += 1)) : lookup.texts(name)),
  });
  for (let i = 0; i < 60; i++)
    for (const from of [`203.0.113.${i}`, `2001:db8:0:${i}::1`]) void proofs.prove(event("x@slow.test", from));
  assert.equal(slowly, 2 * 10);
  assert.equal(await proofs.prove(event(FRIEND, "198.51.100.70")), true);
});

for (const record of ["a:one.test a:two.test mx", "a:one.test include:two.test", "a:one.test mx"]) {
  test(`after the wait ends, a slow domain keeps its place only until its open question is answered: ${record}`, async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const asked: string[] = [];
    let answer = (): void => undefined;
    const addresses = (name: string): Promise<DnsAnswer<Ip>> => {
      asked.push(name);
      return new Promise((resolve) => (answer = () => resolve({ ok: true, found: [] })));
    };
    const zone = lookupIn({ "friend.test": { txt: [`v=spf1 ${record} -all`] } });
    const proven = proofsBy({ addresses }, zone).prove(event(FRIEND, MAIL.ip));
    await settled();
    t.mock.timers.tick(1_500);
    assert.equal(await proven, false);
    answer();
    await settled();
    assert.deepEqual([...asked, ...zone.asked.slice(1)], ["one.test"]);
  });
}

function expand(zone: Zone): Promise<readonly Prefix[] | null> {
  return expandSpf("big.test", lookupIn(zone).lookup);
}

test("networks, includes, redirects, addresses and mail exchanges are collected, each once", async () => {
  const zone: Zone = {
    "big.test": {
      txt: ["site-verification=1", "v=spf1 include:_spf.big.test a mx/28 ip4:203.0.113.0/25 ~all"],
      a: ["198.51.100.7"],
      mx: ["mx1.big.test"],
    },
    "mx1.big.test": { a: ["198.51.100.200", "2001:db8::25"] },
    "_spf.big.test": { txt: ["v=spf1 ip4:203.0.113.0/25 ip6:2001:db8:1::/48 redirect=_more.big.test"] },
    "_more.big.test": { txt: ["V=SPF1 +ip4:198.51.100.99 -ip4:10.0.0.1 ?ip4:10.0.0.2 exists:%{i}.big.test ptr -all"] },
  };
  assert.deepEqual(await expand(zone), [
    "203.0.113.0/25",
    "2001:db8:1::/48",
    "198.51.100.99/32",
    "198.51.100.7/32",
    "198.51.100.192/28",
    "2001:db8::25/128",
  ]);
});

test("an include without a record is skipped; a domain with two records has none that counts", async () => {
  const whole = { "big.test": { txt: ["v=spf1 include:gone.test ip4:203.0.113.1 -all"] } };
  const gone = { "gone.test": { mx: ["gone.test"], a: ["198.51.100.1"] } };
  assert.deepEqual(await expand({ ...whole, ...gone }), ["203.0.113.1/32"]);
  assert.equal(await expand({ "big.test": { txt: ["v=spf1 -all", "v=spf1 +all"] } }), null);
});

test("a failed lookup fails the whole expansion: half a pool must not replace a complete one", async () => {
  for (const term of ["include:down.test", "mx:down.test", "a:down.test"])
    assert.equal(await expand({ "big.test": { txt: [`v=spf1 ip4:203.0.113.1 ${term} -all`] } }), null, term);
});

test("a record that includes itself ends after ten lookups", async () => {
  const { lookup, asked } = lookupIn({ "big.test": { txt: ["v=spf1 include:big.test include:big.test -all"] } });
  assert.equal(await expandSpf("big.test", lookup), null);
  assert.equal(asked.length, SPF_LIMITS.lookups + 1);
});

test("ten lookups are enough for ten includes, and not for eleven", async () => {
  const including = (count: number): Zone => ({
    "big.test": { txt: [`v=spf1 ${Array.from({ length: count }, (_, i) => `include:i${i}.test`).join(" ")} -all`] },
    "i9.test": { txt: ["v=spf1 ip4:203.0.113.9 -all"] },
  });
  assert.deepEqual(await expand(including(10)), ["203.0.113.9/32"]);
  assert.equal(await expand(including(11)), null);
});

test("a record with the whole internet does not count", async () => {
  const txt = ["v=spf1 ip4:0.0.0.0/0 ip4:128.0.0.0/7 ip6:::/0 a/0 ip4:203.0.0.0/8 +all"];
  assert.deepEqual(await expand({ "big.test": { txt, a: ["203.0.113.1"] } }), ["203.0.0.0/8"]);
});

test("looks up at most ten hosts of one mx", async () => {
  const hosts = Array.from({ length: 11 }, (_, i) => `mx${i}.test`);
  const zone: Zone = {
    "big.test": { txt: ["v=spf1 mx -all"], mx: hosts },
    ...Object.fromEntries(hosts.map((host, i) => [host, { a: [`203.0.113.${i}`] }])),
  };
  const expanded = await expand(zone);
  assert.deepEqual([expanded?.length, expanded?.at(-1)], [10, "203.0.113.9/32"]);
});

test("hosts with other names, and a /16 of IPv6, belong to the pool; a /15 does not", async () => {
  const zone: Zone = {
    "big.test": { txt: ["v=spf1 a:host.test/24//48 mx:other.test ip6:2000::/15 ip6:2001::/16 -all"] },
    "host.test": { a: ["203.0.113.7", "2001:db8::7"] },
    "other.test": { mx: ["mx.test"] },
    "mx.test": { a: ["198.51.100.7"] },
  };
  assert.deepEqual(await expand(zone), ["203.0.113.0/24", "2001:db8::/48", "198.51.100.7/32", "2001::/16"]);
});

test("five hundred networks are accepted, one more is an error, even if it is named twice", async () => {
  const networks = (part: number, count: number): string =>
    Array.from({ length: count }, (_, i) => `ip4:10.${part}.${i >> 8}.${i & 255}`).join(" ");
  const parts = Array.from({ length: 9 }, (_, i) => [`i${i}.test`, { txt: [`v=spf1 ${networks(i, 50)}`] }] as const);
  const txt = [`v=spf1 ${parts.map(([name]) => `include:${name}`).join(" ")} ${networks(9, 39)} ip4:10.9.0.0 a`];
  const zone = (hosts: number): Zone => ({
    "big.test": { txt, a: Array.from({ length: hosts }, (_, i) => `203.0.113.${i}`) },
    ...Object.fromEntries(parts),
  });
  assert.equal((await expand(zone(10)))?.length, 499);
  assert.equal(await expand(zone(11)), null);
});
