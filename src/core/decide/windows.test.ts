import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { NOON } from "../../../test/kit/samples.ts";
import { instant, later, type Millis } from "../time.ts";
import { countWithin, exceeded, longestWindowMs, reached, timesToKeep } from "./windows.ts";

test("a window is open at its start and closed at its end", () => {
  const events = [later(NOON, -60_000), later(NOON, -59_999), NOON];
  assert.equal(countWithin(events, 60_000, NOON), 2);
  assert.equal(countWithin([], 60_000, NOON), 0);
});

const now = instant(10_000);
const ascendingTimes = fc
  .array(fc.nat(10_000), { maxLength: 60 })
  .map((list) => list.sort((a, b) => a - b).map((at) => instant(at)));
const upTo = (max: number) => fc.integer({ min: 1, max });
const limit = fc.record({ key: fc.constantFrom("a", "b"), count: upTo(6), windowMs: upTo(9_000) });
const someLimits = fc.array(limit, { minLength: 1, maxLength: 3 });

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

test("a limit is reached by earlier events, whatever happens now", () => {
  const limits = [
    { key: "a", count: 2, windowMs: 100 },
    { key: "b", count: 3, windowMs: 1_000 },
  ];
  const at = (...ago: readonly number[]) => ago.map((ms) => later(now, -ms));
  assert.equal(reached(limits, at(100, 99), now), null);
  assert.deepEqual(reached(limits, at(99, 0), now), { count: 2, limit: 2, windowMs: 100, key: "a" });
  assert.deepEqual(reached(limits, at(999, 500, 400), now), { count: 3, limit: 3, windowMs: 1_000, key: "b" });
  assert.equal(reached([], at(0), now), null);
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
