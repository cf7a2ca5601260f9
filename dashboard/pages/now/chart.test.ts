import assert from "node:assert/strict";
import { test } from "node:test";
import { Counted, pointsOf, roundUp } from "./chart.ts";

const BOX = { width: 100, height: 50 };

test("a line goes from the left edge to the right one, the highest value at the top", () => {
  assert.equal(pointsOf([0, 5, 10], 10, BOX), "0,50 50,25 100,0");
  assert.equal(pointsOf([0, 0], 0, BOX), "0,50 100,50");
  assert.equal(pointsOf([], 1, BOX), "");
});

test("a scale ends at a round number", () => {
  assert.deepEqual([0, 1, 3, 7, 11, 20, 480, 5_001].map(roundUp), [1, 1, 5, 10, 20, 20, 500, 10_000]);
});

const NOON = Date.UTC(2026, 0, 1, 12);
const MINUTE_MS = 60_000;

test("what is counted is read again once a minute at most, and only after news", () => {
  const counted = new Counted({ mails: 1 }, NOON);
  assert.ok(!counted.isDue({ mails: 2 }, NOON + 59_000));
  assert.ok(counted.isDue({ mails: 2 }, NOON + MINUTE_MS), "a change within the minute is not forgotten");
  assert.ok(!counted.isDue({ mails: 3 }, NOON + MINUTE_MS + 5_000));
  assert.ok(!counted.isDue({ mails: 2 }, NOON + 10 * MINUTE_MS), "nothing new");
  assert.ok(counted.isDue({ mails: 2 }, NOON + 15 * MINUTE_MS), "a step of the chart has ended");
  assert.ok(!counted.isDue(null, NOON + 40 * MINUTE_MS), "the stream is gone");
  assert.ok(counted.isDue({ mails: 4 }, NOON - 60 * MINUTE_MS), "the clock was set back");
});
