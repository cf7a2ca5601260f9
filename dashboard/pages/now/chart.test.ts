import assert from "node:assert/strict";
import { test } from "node:test";
import { pointsOf, roundUp } from "./chart.ts";

const BOX = { width: 100, height: 50 };

test("a line goes from the left edge to the right one, the highest value at the top", () => {
  assert.equal(pointsOf([0, 5, 10], 10, BOX), "0,50 50,25 100,0");
  assert.equal(pointsOf([0, 0], 0, BOX), "0,50 100,50");
  assert.equal(pointsOf([], 1, BOX), "");
});

test("a scale ends at a round number", () => {
  assert.deepEqual([0, 1, 3, 7, 11, 20, 480, 5_001].map(roundUp), [1, 1, 5, 10, 20, 20, 500, 10_000]);
});
