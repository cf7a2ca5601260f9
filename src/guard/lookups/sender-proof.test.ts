import assert from "node:assert/strict";
import { test } from "node:test";
import { ip, MAIL, RECIPIENT } from "../../../test/kit/samples.ts";
import type { Recipient } from "../../core/events/mail.ts";
import { type Ip, parseIp } from "../../core/net/ip.ts";
import type { Found, NameLookup } from "../network-ports.ts";
import { createSenderProofs } from "./sender-proof.ts";

const FRIEND = "friend@friend.test";

type Zone = Readonly<Record<string, Readonly<{ txt?: string; a?: string; mx?: string }>>>;

/** A zone in memory that records the queried names. A query for `down.test` fails as with a server that is down. */
function lookupIn(zone: Zone): Readonly<{ lookup: NameLookup; asked: string[] }> {
  const asked: string[] = [];
  const found = <T>(name: string, value: T | undefined | null): Promise<Found<T>> => {
    asked.push(name);
    if (name === "down.test") return Promise.resolve({ ok: false, reason: "no server answers" });
    return Promise.resolve({ ok: true, found: value === undefined || value === null ? [] : [value] });
  };
  const lookup: NameLookup = {
    texts: (name) => found(name, zone[name]?.txt),
    addresses: (name): Promise<Found<Ip>> => found(name, parseIp(zone[name]?.a ?? "")),
    exchanges: (name) => found(name, zone[name]?.mx),
  };
  return { lookup, asked };
}

const ZONE: Zone = {
  "friend.test": { txt: "v=spf1 include:_spf.friend.test -all" },
  "_spf.friend.test": { txt: "v=spf1 ip4:198.51.100.64/28 ~all" },
  "bare.test": { mx: "mx.bare.test" },
  "mx.bare.test": { a: "198.51.100.10" },
  "six.test": { mx: "mx.six.test" },
  "mx.six.test": { a: "2001:db8::10" },
  "open.test": { txt: "v=spf1 +all" },
  "none.test": { txt: "v=spf1 -all", mx: "mx.bare.test" },
};

function event(sender: string, from: string): Recipient {
  return { ...RECIPIENT, sender, ip: ip(from) };
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
  test(`${that}: ${proven ? "proven" : "not proven"}`, async () => {
    const proofs = createSenderProofs({ needsSenderProof: () => true }, lookupIn(ZONE).lookup);
    assert.equal(await proofs.prove(event(sender, from)), proven);
  });

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
  const { lookup } = lookupIn(ZONE);
  const slow: NameLookup = {
    ...lookup,
    texts: () => new Promise((resolve) => answers.push(() => resolve({ ok: false, reason: "no server answers" }))),
  };
  const proofs = createSenderProofs({ needsSenderProof: () => true }, slow);
  const settled = async (): Promise<void> => {
    for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
  };
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
  ask();
  assert.equal(answers.length, 51);
});

test("slow domains of one network leave places for other senders", async () => {
  const { lookup } = lookupIn(ZONE);
  const slow: NameLookup = {
    ...lookup,
    texts: (name) => (name === "slow.test" ? new Promise(() => {}) : lookup.texts(name)),
  };
  const proofs = createSenderProofs({ needsSenderProof: () => true }, slow);
  for (let i = 0; i < 60; i++) void proofs.prove(event("x@slow.test", `203.0.113.${i}`));
  assert.equal(await proofs.prove(event(FRIEND, "198.51.100.70")), true);
});

test("after the wait ends, a slow domain keeps its place only until its open question is answered", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const asked: string[] = [];
  let answer = (): void => undefined;
  const slow: NameLookup = {
    texts: () => Promise.resolve({ ok: true, found: ["v=spf1 a:one.test a:two.test include:three.test -all"] }),
    addresses: (name) => {
      asked.push(name);
      return new Promise((resolve) => (answer = () => resolve({ ok: true, found: [] })));
    },
    exchanges: () => Promise.resolve({ ok: true, found: [] }),
  };
  const proofs = createSenderProofs({ needsSenderProof: () => true }, slow);
  const proven = proofs.prove(event(FRIEND, MAIL.ip));
  await new Promise((resolve) => setImmediate(resolve));
  t.mock.timers.tick(1_500);
  assert.equal(await proven, false);
  answer();
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(asked, ["one.test"]);
});
