import assert from "node:assert/strict";
import { test } from "node:test";
import { type Ip, parseIp, parsePrefix } from "../core/ip.ts";
import { NOON } from "../core/samples.ts";
import { later, type Millis } from "../core/time.ts";
import type { Found, NameLookup } from "./expand-spf.ts";
import type { Log } from "./ports.ts";
import { POOL_TIMES, type Pool, ProviderPools } from "./provider-pools.ts";

const INSIDE = address("203.0.113.7");

/** A resolver whose answer can be changed; addresses are asked by nobody here. */
class OneRecord implements NameLookup {
  answer: Found<string> = { ok: false, reason: "no server answers" };
  asked = 0;
  async texts(): Promise<Found<string>> {
    this.asked += 1;
    return this.answer;
  }
  addresses(): Promise<Found<Ip>> {
    throw new Error("no address is needed");
  }
  exchanges(): Promise<Found<string>> {
    throw new Error("no exchange is needed");
  }
}

function make(stored: readonly Pool[] = []) {
  const lookup = new OneRecord();
  const kept = [...stored];
  const warned: string[] = [];
  const time = { now: NOON };
  const wanted = { domains: ["big.test"] as readonly string[] };
  const silent = (): void => {};
  const log: Log = { info: silent, error: silent, warn: (_, fields) => warned.push(String(fields?.["why"])) };
  const pools = new ProviderPools({
    lookup,
    store: { pools: () => stored, keepPool: (pool) => kept.push(pool) },
    domains: () => wanted.domains,
    clock: { now: () => time.now },
    log,
  });
  return { pools, lookup, kept, warned, time, wanted };
}

test("a pool that cannot be read is asked for again, and known once it can", async () => {
  const { pools, lookup, kept, warned, time } = make();
  pools.wake();
  await until(() => warned.length === 1);
  assert.deepEqual(warned, ["no server answers"]);
  assert.equal(pools.includes(INSIDE), false);
  lookup.answer = { ok: true, found: ["v=spf1 ip4:203.0.113.0/24 -all"] };
  time.now = later(NOON, POOL_TIMES.firstRetryMs);
  pools.wake();
  await until(() => pools.includes(INSIDE));
  assert.deepEqual(kept, [{ domain: "big.test", networks: ["203.0.113.0/24"], fetchedAt: time.now }]);
  await pools.stop();
});

test("what was known last holds over a restart and while nothing can be read, and a day later it is read anew", async () => {
  const { pools, lookup, warned, time } = make([stored("big.test", NOON)]);
  assert.equal(pools.includes(INSIDE), true);
  pools.wake();
  await settled();
  assert.equal(lookup.asked, 0, "it is fresh");
  time.now = later(NOON, POOL_TIMES.freshMs);
  pools.wake();
  await until(() => warned.length === 1);
  assert.equal(pools.includes(INSIDE), true);
  lookup.answer = { ok: true, found: ["v=spf1 ip4:198.51.100.0/24 -all"] };
  time.now = later(time.now, POOL_TIMES.firstRetryMs);
  pools.wake();
  await until(() => !pools.includes(INSIDE));
  assert.equal(pools.includes(address("198.51.100.1")), true);
  await pools.stop();
});

test("a domain that the settings name no more is forgotten", async () => {
  const { pools, wanted } = make([stored("big.test", NOON)]);
  wanted.domains = [];
  pools.wake();
  await until(() => !pools.includes(INSIDE));
  await pools.stop();
});

function stored(domain: string, fetchedAt: Millis): Pool {
  const network = parsePrefix("203.0.113.0/24");
  assert.ok(network !== null);
  return { domain, networks: [network], fetchedAt };
}

function address(text: string): Ip {
  const parsed = parseIp(text);
  assert.ok(parsed !== null, text);
  return parsed;
}

async function settled(): Promise<void> {
  for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve));
}

async function until(condition: () => boolean): Promise<void> {
  const end = performance.now() + 5_000;
  while (!condition()) {
    assert.ok(performance.now() < end, "waited five seconds in vain");
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
