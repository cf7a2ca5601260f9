import assert from "node:assert/strict";
import { test } from "node:test";
import { HOUR_MS, instant, later, MINUTE_MS } from "../time.ts";
import { freshUntil, isValid, PROOF_MS } from "./session.ts";

const T0 = instant(1_800_000_000_000);

test("a proof is fresh for ten minutes, and not before it was given", () => {
  assert.equal(freshUntil(T0, T0), later(T0, 10 * MINUTE_MS));
  assert.equal(freshUntil(T0, later(T0, PROOF_MS - 1)), later(T0, PROOF_MS));
  assert.equal(freshUntil(T0, later(T0, PROOF_MS)), null);
  assert.equal(freshUntil(T0, later(T0, -1)), null);
});

test("a session ends twelve hours after its last use, and seven days after its start", () => {
  const now = later(T0, 168 * HOUR_MS);
  for (const [startedAgoMs, usedAgoMs, valid] of [
    [167 * HOUR_MS, 12 * HOUR_MS - 1, true],
    [167 * HOUR_MS, 12 * HOUR_MS, false],
    [168 * HOUR_MS - 1, 0, true],
    [168 * HOUR_MS, 0, false],
    [0, -HOUR_MS, true],
    [0, -HOUR_MS - 1, false],
  ] as const) {
    const times = { startedAt: later(now, -startedAgoMs), usedAt: later(now, -usedAgoMs) };
    assert.equal(isValid(times, now), valid, `started ${startedAgoMs} ms ago, used ${usedAgoMs} ms ago`);
  }
});
