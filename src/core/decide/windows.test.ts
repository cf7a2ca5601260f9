import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { NOON, times } from "../../../test/kit/samples.ts";
import { instant, later, type Millis } from "../time.ts";
import type { Limit } from "./policy.ts";
import { countWithin, exceeded, longestWindowMs, timesToKeep } from "./windows.ts";

test("a window is open at its start and closed at its end", () => {
  const events = [later(NOON, -60_000), later(NOON, -59_999), NOON];
  assert.equal(countWithin(events, 60_000, NOON), 2);
  assert.equal(countWithin([], 60_000, NOON), 0);
});

test("the event that reaches a limit passes, the next one does not", () => {
  const limits: readonly Limit[] = [{ key: "k", count: 10, windowMs: 60_000 }];
  assert.equal(exceeded(limits, times(9), NOON), null);
  assert.deepEqual(exceeded(limits, times(10), NOON), { count: 11, limit: 10, windowMs: 60_000, key: "k" });
});

const now = instant(10_000);
const ascendingTimes = fc
  .array(fc.nat(10_000), { maxLength: 60 })
  .map((list) => list.sort((a, b) => a - b).map((at) => instant(at)));
const someLimits = fc.array(
  fc.record({
    key: fc.constantFrom("a", "b"),
    count: fc.integer({ min: 1, max: 6 }),
    windowMs: fc.integer({ min: 1, max: 9_000 }),
  }),
  { minLength: 1, maxLength: 3 },
);

test("counts equal a naive recount", () => {
  fc.assert(
    fc.property(ascendingTimes, fc.nat(11_000), (list, windowMs) => {
      assert.equal(countWithin(list, windowMs, now), recount(list, windowMs));
    }),
  );
});

test("the first limit that a naive recount finds exceeded is named, and no other", () => {
  fc.assert(
    fc.property(ascendingTimes, someLimits, fc.integer({ min: 1, max: 3 }), (list, limits, factor) => {
      const broken = limits.find(({ count, windowMs }) => recount(list, windowMs) + 1 > count * factor);
      const expected = broken && { ...broken, count: recount(list, broken.windowMs) + 1, limit: broken.count * factor };
      assert.deepEqual(exceeded(limits, list, now, factor), expected ?? null);
    }),
  );
});

test("times that need not be kept change no verdict, up to the factor they are kept for", () => {
  fc.assert(
    fc.property(ascendingTimes, someLimits, fc.integer({ min: 1, max: 3 }), (list, limits, factor) => {
      const kept = list.slice(-timesToKeep(limits, 3));
      assert.equal(exceeded(limits, kept, now, factor) === null, exceeded(limits, list, now, factor) === null);
    }),
    { numRuns: 1_000 },
  );
});

test("nothing older than the longest window changes a verdict", () => {
  fc.assert(
    fc.property(ascendingTimes, someLimits, (list, limits) => {
      const recent = list.filter((at) => at > now - longestWindowMs(limits));
      assert.deepEqual(exceeded(limits, recent, now), exceeded(limits, list, now));
    }),
  );
});

test("without limits nothing is looked up, and only the last time is kept", () => {
  assert.equal(longestWindowMs([]), 0);
  assert.equal(timesToKeep([], 3), 1);
});

function recount(list: readonly Millis[], windowMs: number): number {
  return list.filter((at) => at > now - windowMs).length;
}
