import assert from "node:assert/strict";
import { test } from "node:test";
import { BAN, startKit, T0 } from "../../../test/kit/api-kit.ts";
import { parsePrefix } from "../../core/net/ip.ts";
import { DAY_MS, later } from "../../core/time.ts";
import { HealthReader } from "./health.ts";
import { readBans, readEvents, readStats, readWhy } from "./reading.ts";

test("statistics cover the last day, and count every ban in force", async (t) => {
  const kit = await startKit(t);
  const topIps = t.mock.method(kit.queries.figures, "topIps");
  const counts = t.mock.method(kit.queries.figures, "counts");
  const stats = await readStats(kit.parts, new HealthReader(kit.parts));
  assert.deepEqual(stats.bans, { active: 1, items: [BAN], next: null });
  assert.equal(stats.generatedAt, "2026-11-20T07:00:00.000Z");
  const dayAgo = later(T0, -DAY_MS);
  assert.deepEqual(topIps.mock.calls[0]?.arguments, [dayAgo, 10]);
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

test("a page of bans tells how many are in force", async (t) => {
  const kit = await startKit(t);
  const bans = t.mock.method(kit.queries, "bans", () => ({ items: [BAN], next: "41" }));
  assert.deepEqual(readBans(kit.parts, { limit: 1, cursor: 42 }), { items: [BAN], next: "41", active: 1 });
  assert.deepEqual(bans.mock.calls[0]?.arguments, [T0, { limit: 1, cursor: "42" }]);
  readBans(kit.parts, {});
  assert.deepEqual(bans.mock.calls[1]?.arguments, [T0, { limit: 50, cursor: null }]);
});

test("an address is explained as of now, with the configured memory", async (t) => {
  const kit = await startKit(t, { memoryMs: 77 });
  const address = t.mock.method(kit.queries, "address");
  const prefix = parsePrefix("203.0.113.7") ?? assert.fail();
  kit.guard.replies.set("protection", { ok: true, result: { prefix, reason: "gateway" } });
  const told = await readWhy(kit.parts, "admin", prefix);
  assert.deepEqual([told.ban, told.protection, told.protectionUnknown], [BAN, "gateway", false]);
  assert.deepEqual(kit.guard.asked, [{ by: "admin", command: { verb: "protection", target: prefix } }]);
  assert.deepEqual(address.mock.calls[0]?.arguments, [prefix, T0, 77]);
  kit.guard.isDown = true;
  const without = await readWhy(kit.parts, "admin", prefix);
  assert.deepEqual([without.ban, without.protection, without.protectionUnknown], [BAN, null, true]);
});
