import assert from "node:assert/strict";
import { test } from "node:test";
import { ip } from "../../../test/kit/samples.ts";
import type { Connection, ConnectionOrders } from "../../core/firewall/connection-shares.ts";
import { type Prefix, prefixOf } from "../../core/net/ip.ts";
import { HOUR_MS } from "../../core/time.ts";
import type { OpenConnections } from "../network-ports.ts";
import type { Outcome } from "../ports.ts";
import { CONNECTION_WATCH, createConnectionWatch } from "./connection-watch.ts";

const OK: Outcome = { ok: true };
const NO_ORDERS: ConnectionOrders = { watched: [25], refused: [], full: [], known: [] };
/** The orders that refuse these hosts. */
const refusing = (...hosts: readonly number[]) => hosts.map((host) => ({ prefix: `203.0.113.${host}/32`, port: 25 }));

/** A fake with these open connections, which records its calls. */
class HeldConnections implements OpenConnections {
  open: readonly Connection[] = [];
  inUse: number | null = null;
  looks = 0;
  outcome: Outcome = OK;
  readonly orders: ConnectionOrders[] = [];
  readonly ended: Connection[] = [];
  connections(ports: readonly number[]): Promise<readonly Connection[]> {
    assert.deepEqual(ports, [25]);
    this.looks += 1;
    return Promise.resolve(this.open);
  }
  readonly sockets = () => Promise.resolve(this.inUse);
  readonly silences = () => Promise.reject(new Error("not answered in this test"));
  sendOrders(orders: ConnectionOrders, timeoutS: number): Promise<Outcome> {
    assert.equal(timeoutS, 15);
    if (this.outcome.ok) this.orders.push(orders);
    return Promise.resolve(this.outcome);
  }
  end(connections: readonly Connection[]): Promise<Outcome> {
    assert.notEqual(connections.length, 0, "no call ends zero connections");
    this.ended.push(...connections);
    return Promise.resolve(OK);
  }
}

/** A watch over port 25, where one stranger may hold two connections and all strangers together four. */
function watchedPort() {
  const [kernel, asked] = [new HeldConnections(), { known: 0 }];
  const warnings: unknown[] = [];
  /** Addresses that must make room, and further known addresses. */
  const [crowding, many]: [Connection[], Prefix[]] = [[], []];
  const known = prefixOf(ip("203.0.113.9"), 64);
  const limits = { most: 2, mostKnown: 9, perPort: false, ports: [25], places: new Map(), shares: new Map([[25, 4]]) };
  const watch = createConnectionWatch({
    kernel,
    rules: () => ({
      ...limits,
      prefixOf: (address) => prefixOf(address, 64),
      isKnown: (prefix) => prefix === known,
      isExempt: () => false,
    }),
    ports: () => [25],
    known: () => {
      asked.known += 1;
      return [known, ...many];
    },
    room: {
      plan: (open) => {
        const end = open.filter((one) => crowding.includes(one));
        const refused = end.slice(0, 1).map(({ ip, port }) => ({ prefix: prefixOf(ip, 64), port }));
        return Promise.resolve({ isCrowded: end.length > 0, end, refused });
      },
    },
    log: { info: () => {}, warn: (_, fields) => warnings.push(fields?.["reason"]), error: () => {} },
  });
  const from = (host: number, count: number): readonly Connection[] =>
    Array.from({ length: count }, (_, i) => ({ ip: ip(`203.0.113.${host}`), clientPort: i + 1, port: 25 }));
  const looks = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) await watch.look();
  };
  return { kernel, watch, looks, warnings, asked, crowding, many, from };
}

test("sends changed orders to the kernel at once, and repeats unchanged ones occasionally", async () => {
  const { kernel, watch, looks, from, asked } = watchedPort();
  await looks(2);
  assert.deepEqual(kernel.orders, [NO_ORDERS]);
  kernel.open = from(1, 2);
  await looks(2);
  assert.deepEqual(kernel.orders.slice(1), [{ ...NO_ORDERS, refused: refusing(1) }]);
  assert.equal(asked.known, 0, "known networks are read only when strangers hold their share");
  kernel.open = [...from(1, 2), ...from(2, 2)];
  await watch.look();
  assert.deepEqual(kernel.orders.at(-1)?.full, [25]);
  assert.deepEqual(kernel.orders.at(-1)?.known, ["203.0.113.9/32"]);
});

test("closes connections beyond the share since the last check, but not older ones", async () => {
  const { kernel, watch, from } = watchedPort();
  kernel.open = from(1, 3);
  await watch.look();
  assert.deepEqual(kernel.ended, [], "it may be older than the guard");
  kernel.open = from(1, 4);
  await watch.look();
  assert.deepEqual(kernel.ended, from(1, 4).slice(3));
  kernel.open = from(1, 3);
  await watch.look();
  assert.equal(kernel.ended.length, 1);
});

test("a connection closed to make room no longer counts against the share", async () => {
  const { kernel, watch, crowding, from } = watchedPort();
  kernel.open = [...from(1, 2), ...from(2, 2)];
  crowding.push(...kernel.open.slice(0, 2));
  await watch.look();
  assert.deepEqual(kernel.ended, from(1, 2));
  assert.deepEqual(kernel.orders.at(-1)?.full, [], "there is room for strangers");
  assert.deepEqual(kernel.orders.at(-1)?.refused, refusing(1, 2));
});

test("reports a kernel that rejects orders once, and retries at each check", async () => {
  const { kernel, watch, looks, warnings } = watchedPort();
  kernel.outcome = { ok: false, reason: "nft: no such table" };
  await looks(2);
  assert.deepEqual(warnings, ["nft: no such table"]);
  kernel.outcome = OK;
  await watch.look();
  assert.equal(kernel.orders.length, 1);
});

test("runs until stopped, and then leaves the ports to the kernel", async () => {
  const { kernel, watch } = watchedPort();
  watch.start();
  await watch.stop();
  assert.deepEqual(kernel.orders, [NO_ORDERS, { ...NO_ORDERS, watched: [] }]);
  const idle = watchedPort();
  await idle.watch.stop();
  assert.deepEqual(idle.kernel.orders, [], "ports that were never watched are not released");
});

test("pauses a second between checks, or twenty times a check's duration up to five seconds, or twice while ports are full", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { kernel, watch, crowding, from } = watchedPort();
  let nowMs = 0;
  t.mock.method(performance, "now", () => nowMs);
  let [looks, tookMs] = [0, 0];
  kernel.connections = () => {
    looks += 1;
    nowMs += tookMs;
    return Promise.resolve(kernel.open);
  };
  const after = async (ms: number): Promise<number> => {
    t.mock.timers.tick(ms);
    for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve));
    return looks;
  };
  watch.start();
  assert.deepEqual([await after(0), await after(999)], [1, 1]);
  tookMs = 100;
  assert.deepEqual([await after(1), await after(1_999)], [2, 2]);
  kernel.open = from(1, 1);
  crowding.push(...kernel.open);
  assert.equal(await after(1), 3);
  tookMs = 600;
  assert.deepEqual([await after(1_000), await after(1_199)], [4, 4]);
  kernel.open = [];
  assert.equal(await after(1), 5);
  const last = [await after(4_999), await after(1)];
  assert.deepEqual(last, [5, 6], "there is room again, and the kernel gets its orders in time");
  await watch.stop();
  assert.equal(await after(10_000), 6, "no check after the end");
});

test("repeats the orders after five seconds, before they expire", async (t) => {
  const { kernel, watch } = watchedPort();
  let nowMs = 0;
  t.mock.method(performance, "now", () => nowMs);
  const ordersAt = async (ms: number): Promise<number> => {
    nowMs = ms;
    await watch.look();
    return kernel.orders.length;
  };
  assert.deepEqual([await ordersAt(5_000), await ordersAt(9_999), await ordersAt(10_000)], [1, 1, 2]);
});

test("sends the kernel at most ten thousand prefixes that hold too much, and as many known ones", async () => {
  const { kernel, watch, many } = watchedPort();
  const address = (i: number) => ip(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`);
  many.push(...Array.from({ length: 10_001 }, (_, i) => prefixOf(address(i), 64)));
  kernel.open = Array.from({ length: 20_002 }, (_, i) => ({ ip: address(i >> 1), clientPort: i & 1, port: 25 }));
  await watch.look();
  assert.deepEqual([kernel.orders[0]?.refused.length, kernel.orders[0]?.known.length], [10_000, 10_000]);
});

test("reports a failed check once, and again after a success", async () => {
  const { kernel, watch, warnings } = watchedPort();
  const usual = kernel.connections.bind(kernel);
  const failing = () => Promise.reject(new Error("no netlink"));
  for (const connections of [failing, failing, usual, failing]) {
    kernel.connections = connections;
    await watch.look();
  }
  assert.deepEqual(warnings, ["no netlink", "no netlink"]);
});

test("if connections cannot be closed, retries, reports it once, and lets the kernel count", async (t) => {
  const { kernel, watch, looks, warnings, from } = watchedPort();
  let nowMs = HOUR_MS;
  t.mock.method(performance, "now", () => nowMs);
  const tried: number[] = [];
  let outcome: Outcome = { ok: false, reason: "Unable." };
  kernel.end = (connections) => {
    tried.push(connections.length);
    return Promise.resolve(outcome);
  };
  const watched = () => kernel.orders.at(-1)?.watched;
  await watch.look();
  assert.deepEqual(watched(), [25]);
  kernel.open = from(1, 5);
  await looks(3);
  assert.deepEqual(tried, [3, 3, 3]);
  assert.deepEqual(watched(), []);
  kernel.open = [];
  await watch.look();
  nowMs += 3_599_999;
  await watch.look();
  assert.deepEqual(watched(), [], "the next burst could not be closed either");
  assert.deepEqual(warnings, ["Unable. Until then the kernel counts new connections."]);
  nowMs += 1;
  await looks(2);
  assert.deepEqual(watched(), [25], "retries after an hour");
  kernel.open = from(2, 5);
  await watch.look();
  outcome = OK;
  await looks(2);
  assert.deepEqual(watched(), [25]);
});

test("skips three checks while no more sockets are in use than at a check that found nothing", async (t) => {
  const { kernel, watch, from } = watchedPort();
  let nowMs = HOUR_MS;
  t.mock.method(performance, "now", () => nowMs);
  const looksOf = async (inUse: number | null): Promise<number> => {
    const before = kernel.looks;
    kernel.inUse = inUse;
    await watch.look();
    return kernel.looks - before;
  };
  assert.equal(await looksOf(12), 1);
  for (const fewer of [12, 11, 11]) assert.equal(await looksOf(fewer), 0);
  assert.equal(await looksOf(11), 1, "new clients may have replaced those who left");
  assert.equal(await looksOf(10), 0);
  assert.equal(await looksOf(11), 1, "one more than a moment ago");
  kernel.open = from(1, 2);
  assert.equal(await looksOf(13), 1, "one more");
  assert.deepEqual(kernel.orders.at(-1)?.refused.length, 1);
  assert.equal(await looksOf(13), 1, "a refused client may have left");
  kernel.open = [];
  assert.equal(await looksOf(11), 1);
  assert.equal(await looksOf(null), 1, "the kernel does not answer");
  assert.equal(await looksOf(11), 1);
  assert.equal(await looksOf(11), 0);
  nowMs += CONNECTION_WATCH.repeatEveryMs;
  assert.equal(await looksOf(11), 1, "the kernel gets its orders again before they expire");
  const usual = kernel.connections.bind(kernel);
  kernel.connections = () => Promise.reject(new Error("no netlink"));
  await looksOf(12);
  kernel.connections = usual;
  assert.equal(await looksOf(11), 1, "the last check failed");
});
