import assert from "node:assert/strict";
import { test } from "node:test";
import { type ClockNote, clockSeen, leapSince } from "./clock-leap.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "./time.ts";

const NOW = Date.UTC(2026, 10, 20);
const NOTE: ClockNote = { lookedAt: NOW, leap: null };

test("a running clock is noted once an hour", () => {
  assert.equal(clockSeen(NOTE, NOW + 59 * MINUTE_MS), NOTE);
  assert.deepEqual(clockSeen(NOTE, NOW + HOUR_MS), { lookedAt: NOW + HOUR_MS, leap: null });
  assert.deepEqual(clockSeen(NOTE, NOW - HOUR_MS), { lookedAt: NOW - HOUR_MS, leap: null });
});

test("a clock that was set by more than five days is trusted once it has run for a day", () => {
  for (const byMs of [365 * DAY_MS, -365 * DAY_MS, 5 * DAY_MS + 1]) {
    const at = NOW + byMs;
    assert.equal(leapSince(NOTE, at), byMs);
    const leapt = clockSeen(NOTE, at);
    assert.deepEqual(leapt, { lookedAt: at, leap: { at, byMs } });
    assert.deepEqual(clockSeen(leapt, at + DAY_MS - 1).leap, leapt.leap);
    assert.equal(clockSeen(leapt, at + DAY_MS).leap, null);
    assert.equal(clockSeen(leapt, NOW).leap?.byMs, -byMs, "the jump back counts too");
  }
  assert.equal(leapSince(NOTE, NOW + 5 * DAY_MS), null);
});
