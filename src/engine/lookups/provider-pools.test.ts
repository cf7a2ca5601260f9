import assert from "node:assert/strict";
import { test } from "node:test";
import { NOON } from "../../../test/kit/samples.ts";
import { type Ip, parseIp, parsePrefix } from "../../core/net/ip.ts";
import { later, type Millis } from "../../core/time.ts";
import type { Log } from "../ports.ts";
import type { Found, NameLookup } from "./expand-spf.ts";
import { POOL_TIMES, type Pool, ProviderPools } from "./provider-pools.ts";

const INSIDE = address("203.0.113.7");

/** A resolver whose answer can be changed; addresses are asked by nobody here. */
class OneRecord implements NameLookup {
  answer: Found<string> = { ok: false, reason: "no server answers" };
  asked = 0;
  texts = (_name: string): Promise<Found<string>> => {
    this.asked += 1;
    return Promise.resolve(this.answer);
  };
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
  const parts = {
    lookup,
    store: { pools: () => stored, keepPool: (pool: Pool): void => void kept.push(pool) },
    domains: () => wanted.domains,
    clock: { now: () => time.now },
    log,
  };
  return { pools: new ProviderPools(parts), parts, lookup, kept, warned, time, wanted };
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

test("a pool is asked for after 2, 4, 8 seconds and so on, then each hour; the first failure alone is logged", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { pools, lookup, warned, time } = make();
  const waitedS: number[] = [];
  const from = time.now;
  let last = from;
  const advance = async (seconds: number): Promise<void> => {
    const asked = lookup.asked;
    for (let i = 0; i < seconds && lookup.asked === asked; i++) {
      time.now = later(time.now, 1_000);
      t.mock.timers.tick(1_000);
      await settled();
    }
    waitedS.push((time.now - last) / 1_000);
    last = time.now;
  };
  pools.wake();
  await settled();
  assert.equal(lookup.asked, 1);
  for (let i = 0; i < 13; i++) await advance(4_000);
  assert.deepEqual(waitedS, [2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 2_048, 3_600, 3_600]);
  assert.deepEqual(warned, ["no server answers"]);
  lookup.answer = { ok: true, found: ["v=spf1 ip4:203.0.113.0/24 -all"] };
  await advance(4_000);
  assert.equal(pools.includes(INSIDE), true);
  lookup.answer = { ok: false, reason: "no server answers again" };
  await advance(25 * 3_600);
  assert.equal(waitedS.at(-1), 24 * 3_600, "what was read is fresh for a day");
  assert.deepEqual(warned.at(-1), "no server answers again");
  await pools.stop();
});

test("once stopped nothing is asked for, not even what was about to be", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { pools, lookup, wanted, kept, time } = make();
  wanted.domains = ["big.test", "other.test"];
  let answer: () => void = () => undefined;
  lookup.texts = () => {
    lookup.asked += 1;
    return new Promise((resolve) => {
      answer = () => resolve({ ok: true, found: ["v=spf1 ip4:203.0.113.0/24 -all"] });
    });
  };
  pools.wake();
  await settled();
  let stopped = false;
  const stopping = pools.stop().then(() => (stopped = true));
  await settled();
  assert.equal(stopped, false, "what is under way comes to its end");
  answer();
  await stopping;
  pools.wake();
  time.now = later(NOON, POOL_TIMES.freshMs);
  t.mock.timers.tick(POOL_TIMES.freshMs);
  await settled();
  assert.equal(lookup.asked, 1);
  assert.deepEqual(kept, [], "and changes nothing any more");
});

test("a pool is known at once, before the other domains were asked, and also where it cannot be kept", async () => {
  const { pools, lookup, wanted, warned, parts } = make();
  wanted.domains = ["big.test", "slow.test"];
  parts.store.keepPool = () => {
    throw new Error("disk full");
  };
  lookup.texts = (name) =>
    name === "slow.test"
      ? new Promise(() => undefined)
      : Promise.resolve({ ok: true, found: ["v=spf1 ip4:203.0.113.0/24 -all"] });
  pools.wake();
  await until(() => pools.includes(INSIDE));
  assert.deepEqual(warned, ["Error: disk full"]);
});

test("where no domain is named nothing is asked for until the settings name one", async () => {
  const { pools, lookup, wanted } = make();
  wanted.domains = [];
  pools.wake();
  await settled();
  assert.equal(lookup.asked, 0);
  wanted.domains = ["big.test"];
  pools.wake();
  await settled();
  assert.equal(lookup.asked, 1);
  await pools.stop();
});

test("the domain whose time comes first is the one that is waited for", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { pools, lookup, wanted, time } = make([stored("big.test", NOON)]);
  wanted.domains = ["big.test", "new.test"];
  pools.wake();
  await settled();
  assert.equal(lookup.asked, 1, "only the new one is due");
  time.now = later(NOON, POOL_TIMES.firstRetryMs);
  t.mock.timers.tick(POOL_TIMES.firstRetryMs);
  await settled();
  assert.equal(lookup.asked, 2);
  await pools.stop();
});

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
