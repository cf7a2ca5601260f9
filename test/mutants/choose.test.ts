import assert from "node:assert/strict";
import { test } from "node:test";
import { groupsOf } from "./choose.ts";

const ITEMS = Array.from({ length: 100 }, (_, i) => i);

test("the same seed chooses the same, another seed something else", () => {
  assert.deepEqual(groupsOf(ITEMS, 10, 7), groupsOf(ITEMS, 10, 7));
  assert.notDeepEqual(groupsOf(ITEMS, 10, 7), groupsOf(ITEMS, 10, 8));
});

test("each group holds the items of its part, so that the choice is spread over all", () => {
  const groups = groupsOf(ITEMS, 10, 1);
  assert.deepEqual(
    groups.map((group) => group.toSorted((a, b) => a - b)),
    Array.from({ length: 10 }, (_, i) => ITEMS.slice(i * 10, i * 10 + 10)),
  );
});

test("every item is chosen if there are fewer than asked for", () => {
  assert.deepEqual(groupsOf([1, 2, 3], 10, 1), [[1], [2], [3]]);
  assert.equal(groupsOf(ITEMS, Number.POSITIVE_INFINITY, 1).length, 100);
});

test("different seeds reach every item", () => {
  const first = Array.from({ length: 200 }, (_, seed) => groupsOf(ITEMS, 10, seed).map(([item]) => item)).flat();
  assert.equal(new Set(first).size, 100);
});
