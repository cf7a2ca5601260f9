import assert from "node:assert/strict";
import { test } from "node:test";
import { type Ip, parseIp } from "../../core/net/ip.ts";
import type { Found, NameLookup } from "../network-ports.ts";
import { expandSpf, SPF_LIMITS } from "./sender-proof.ts";

type Zone = Readonly<
  Record<string, Readonly<{ txt?: readonly string[]; a?: readonly string[]; mx?: readonly string[] }>>
>;

/** A zone in memory. A query for `broken.test` fails as with a server that is down. */
class ZoneLookup implements NameLookup {
  readonly #zone: Zone;
  asked = 0;
  constructor(zone: Zone) {
    this.#zone = zone;
  }
  async texts(name: string): Promise<Found<string>> {
    return this.#found(name, this.#zone[name]?.txt);
  }
  async addresses(name: string): Promise<Found<Ip>> {
    const texts = this.#zone[name]?.a?.map((text) => parseIp(text)).filter((ip) => ip !== null);
    return this.#found(name, texts);
  }
  async exchanges(name: string): Promise<Found<string>> {
    return this.#found(name, this.#zone[name]?.mx);
  }
  #found<T>(name: string, found: readonly T[] = []): Found<T> {
    this.asked += 1;
    return name === "broken.test" ? { ok: false, reason: "no server answers" } : { ok: true, found };
  }
}

async function expand(zone: Zone, domain = "big.test"): Promise<Found<string>> {
  return expandSpf(domain, new ZoneLookup(zone));
}

test("a domain without a record may use a different one", async () => {
  const zone: Zone = { "big.test": { mx: ["mx1.big.test"] }, "mx1.big.test": { a: ["198.51.100.200"] } };
  assert.equal((await expand(zone)).ok, false);
  const exchanges = [{ type: "mx", domain: null, v4Length: 32, v6Length: 128 }] as const;
  assert.deepEqual(await expandSpf("big.test", new ZoneLookup(zone), exchanges), {
    ok: true,
    found: ["198.51.100.200/32"],
  });
});

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
  assert.deepEqual(await expand(zone), {
    ok: true,
    found: [
      "203.0.113.0/25",
      "2001:db8:1::/48",
      "198.51.100.99/32",
      "198.51.100.7/32",
      "198.51.100.192/28",
      "2001:db8::25/128",
    ],
  });
});

test("an include without a record is skipped; a domain without one, or with two, is an error", async () => {
  const whole: Zone = { "big.test": { txt: ["v=spf1 include:gone.test ip4:203.0.113.1 -all"] } };
  assert.deepEqual(await expand(whole), { ok: true, found: ["203.0.113.1/32"] });
  assert.deepEqual(await expand({}), { ok: false, reason: "big.test publishes no SPF record" });
  const two: Zone = { "big.test": { txt: ["v=spf1 -all", "v=spf1 +all"] } };
  assert.deepEqual(await expand(two), { ok: false, reason: "big.test publishes several SPF records" });
});

test("a failed lookup fails the whole expansion: half a pool must not replace a complete one", async () => {
  const zone: Zone = { "big.test": { txt: ["v=spf1 ip4:203.0.113.1 include:broken.test -all"] } };
  assert.deepEqual(await expand(zone), { ok: false, reason: "no server answers" });
});

test("a record that includes itself ends after ten lookups", async () => {
  const lookup = new ZoneLookup({ "big.test": { txt: ["v=spf1 include:big.test include:big.test -all"] } });
  assert.deepEqual(await expandSpf("big.test", lookup), {
    ok: false,
    reason: "the SPF record of big.test needs more than 10 look-ups",
  });
  assert.equal(lookup.asked, SPF_LIMITS.lookups + 1);
});

test("ten lookups are enough for ten includes, and not for eleven", async () => {
  const including = (count: number): Zone => ({
    "big.test": { txt: [`v=spf1 ${Array.from({ length: count }, (_, i) => `include:i${i}.test`).join(" ")} -all`] },
    "i9.test": { txt: ["v=spf1 ip4:203.0.113.9 -all"] },
  });
  assert.deepEqual(await expand(including(10)), { ok: true, found: ["203.0.113.9/32"] });
  assert.equal((await expand(including(11))).ok, false);
});

test("a record with the whole internet does not count", async () => {
  const zone: Zone = {
    "big.test": { txt: ["v=spf1 ip4:0.0.0.0/0 ip4:128.0.0.0/1 ip6:::/0 a/0 ip4:203.0.0.0/8 +all"], a: ["203.0.113.1"] },
  };
  assert.deepEqual(await expand(zone), { ok: true, found: ["203.0.0.0/8"] });
});

test("looks up at most ten hosts of one mx", async () => {
  const hosts = Array.from({ length: 11 }, (_, i) => `mx${i}.test`);
  const zone: Zone = {
    "big.test": { txt: ["v=spf1 mx -all"], mx: hosts },
    ...Object.fromEntries(hosts.map((host, i) => [host, { a: [`203.0.113.${i}`] }])),
  };
  const expanded = await expand(zone);
  assert.ok(expanded.ok);
  assert.deepEqual([expanded.found.length, expanded.found.at(-1)], [10, "203.0.113.9/32"]);
});

test("mail exchanges and addresses that cannot be looked up fail the whole expansion", async () => {
  for (const term of ["mx:broken.test", "a:broken.test"]) {
    const zone: Zone = { "big.test": { txt: [`v=spf1 ip4:203.0.113.1 ${term} -all`] } };
    assert.deepEqual(await expand(zone), { ok: false, reason: "no server answers" });
  }
});

test("hosts with other names, and a /16 of IPv6, belong to the pool; a /15 does not", async () => {
  const zone: Zone = {
    "big.test": { txt: ["v=spf1 a:host.test/24//48 mx:other.test ip6:2000::/15 ip6:2001::/16 -all"] },
    "host.test": { a: ["203.0.113.7", "2001:db8::7"] },
    "other.test": { mx: ["mx.test"] },
    "mx.test": { a: ["198.51.100.7"] },
  };
  assert.deepEqual(await expand(zone), {
    ok: true,
    found: ["203.0.113.0/24", "2001:db8::/48", "198.51.100.7/32", "2001::/16"],
  });
});

test("five hundred networks are accepted, one more is an error, even if it is named twice", async () => {
  const networks = (part: number, count: number): string =>
    Array.from({ length: count }, (_, i) => `ip4:10.${part}.${i >> 8}.${i & 255}`).join(" ");
  const zone = (hosts: number): Zone => ({
    "big.test": {
      txt: [
        `v=spf1 ${Array.from({ length: 9 }, (_, i) => `include:i${i}.test`).join(" ")} ${networks(9, 39)} ip4:10.9.0.0 a`,
      ],
      a: Array.from({ length: hosts }, (_, i) => `203.0.113.${i}`),
    },
    ...Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`i${i}.test`, { txt: [`v=spf1 ${networks(i, 50)}`] }])),
  });
  const expanded = await expand(zone(10));
  assert.ok(expanded.ok && expanded.found.length === 499);
  assert.deepEqual(await expand(zone(11)), {
    ok: false,
    reason: "the SPF record of big.test names more than 500 networks",
  });
});
