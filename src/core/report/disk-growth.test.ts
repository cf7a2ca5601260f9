import assert from "node:assert/strict";
import { test } from "node:test";
import { type DiskFigures, growthOf } from "./figures.ts";

const NOW = "2026-11-20T12:00:00.000Z";

/** Used on these days of November, in GB, of 100 GB. */
function disk(used: Readonly<Record<number, number>>, today: number): DiskFigures {
  const ours = (gb: number) => ({ logBytes: gb * 1e8, databaseBytes: 5e8 });
  const history = Object.entries(used).map(([day, gb]) => ({
    day: `2026-11-${day}`,
    usedBytes: gb * 1e9,
    ...ours(gb),
  }));
  return { path: "/srv", totalBytes: 100e9, freeBytes: (100 - today) * 1e9, ...ours(today), history };
}

test("the day on which the disk is full follows from its growth", () => {
  const growth = growthOf(disk({ 10: 70, 12: 72, 15: 75, 18: 78 }, 80), NOW);
  assert.equal(growth?.days, 10);
  assert.ok(Math.abs((growth?.usedPerDay ?? 0) - 1e9) < 1);
  assert.ok(Math.abs((growth?.logsPerDay ?? 0) - 1e8) < 1);
  assert.equal(growth?.databasesPerDay, 0);
  assert.equal(growth?.fullAt?.slice(0, 10), "2026-12-10");
});

test("a disk that shrinks, or takes many years to fill up, is not about to be full", () => {
  assert.equal(growthOf(disk({ 10: 80, 15: 70 }, 60), NOW)?.fullAt, null);
  assert.equal(growthOf(disk({ 10: 50.000000005 }, 50), NOW)?.fullAt, null);
  assert.equal(growthOf(disk({ 10: 100 }, 100), NOW)?.fullAt, null);
  assert.equal(growthOf(disk({ 10: 63.41 }, 63.5), NOW)?.fullAt, null);
  assert.equal(growthOf(disk({ 10: 63.4 }, 63.5), NOW)?.fullAt, "2036-11-17T12:00:00.000Z");
});

test("fewer than three days give no forecast", () => {
  assert.equal(growthOf(disk({}, 60), NOW), null);
  assert.equal(growthOf(disk({ 18: 50, 19: 55 }, 60), NOW), null);
  assert.equal(growthOf(disk({ 17: 50 }, 60), NOW)?.days, 3);
});

test("today's record, and days that a wrong clock put into the future, do not count", () =>
  assert.deepEqual(growthOf(disk({ 10: 70, 20: 99, 30: 99 }, 80), NOW), growthOf(disk({ 10: 70 }, 80), NOW)));
