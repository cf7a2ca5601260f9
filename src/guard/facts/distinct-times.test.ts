import assert from "node:assert/strict";
import { test } from "node:test";
import { NOON } from "../../../test/kit/samples.ts";
import { later } from "../../core/time.ts";
import { DistinctTimes } from "./whole-server-windows.ts";

test("each item counts once, until its first time leaves the window", () => {
  const seen = new DistinctTimes(1_000, 10);
  seen.add("a", NOON);
  seen.add("a", later(NOON, 500));
  seen.add("b", later(NOON, 600));
  assert.deepEqual(seen.times(later(NOON, 999)), [NOON, later(NOON, 600)]);
  assert.ok(seen.has("a", later(NOON, 999)));
  assert.ok(!seen.has("a", later(NOON, 1_000)));
  assert.deepEqual(seen.times(later(NOON, 1_000)), [later(NOON, 600)]);
  seen.add("a", later(NOON, 1_100));
  assert.deepEqual(seen.times(later(NOON, 1_100)), [later(NOON, 600), later(NOON, 1_100)]);
});

test("a flood displaces the oldest", () => {
  const seen = new DistinctTimes(1_000_000, 3);
  for (let i = 0; i < 10; i++) seen.add(String(i), later(NOON, i));
  assert.deepEqual(seen.times(later(NOON, 10)), [later(NOON, 7), later(NOON, 8), later(NOON, 9)]);
  assert.ok(!seen.has("0", later(NOON, 10)));
});

test("clear forgets everything", () => {
  const seen = new DistinctTimes(1_000, 3);
  seen.add("a", NOON);
  seen.clear();
  assert.deepEqual([seen.times(NOON), seen.has("a", NOON)], [[], false]);
});
