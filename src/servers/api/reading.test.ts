import assert from "node:assert/strict";
import { test } from "node:test";
import { BAN, startKit, T0 } from "../../../test/kit/api-kit.ts";
import { parsePrefix } from "../../core/net/ip.ts";
import { later } from "../../core/time.ts";
import { HealthReader } from "./health.ts";
import { API_LIMITS } from "./limits.ts";
import { readEvents, readStats, readWhy } from "./reading.ts";

test("statistics cover the last day, and count every ban in force", async (t) => {
  const kit = await startKit(t);
  const topIps = t.mock.method(kit.queries, "topIps");
  const counts = t.mock.method(kit.queries, "counts");
  const stats = await readStats(kit.parts, new HealthReader(kit.parts));
  assert.deepEqual(stats.bans, { active: 1, items: [BAN] });
  assert.equal(stats.generatedAt, "2026-11-20T07:00:00.000Z");
  const dayAgo = later(T0, -API_LIMITS.statsWindowMs);
  assert.deepEqual(topIps.mock.calls[0]?.arguments, [dayAgo, API_LIMITS.statsTopIps]);
  assert.deepEqual(counts.mock.calls[0]?.arguments, [dayAgo]);
});

test("a page that is just full has a next one, which may be empty", async (t) => {
  const kit = await startKit(t);
  kit.queries.add("CONNECT");
  kit.queries.add("CONNECT");
  assert.equal(readEvents(kit.parts, { limit: 2 }).next, "1");
  assert.deepEqual(readEvents(kit.parts, { limit: 2, cursor: 1 }), { items: [], next: null });
  assert.equal(readEvents(kit.parts, {}).next, null);
});

test("an address is explained as of now, with the configured memory", async (t) => {
  const kit = await startKit(t, { memoryMs: 77 });
  const address = t.mock.method(kit.queries, "address");
  const prefix = parsePrefix("203.0.113.7") ?? assert.fail();
  assert.deepEqual(readWhy(kit.parts, prefix).ban, BAN);
  assert.deepEqual(address.mock.calls[0]?.arguments, [prefix, T0, 77]);
});
