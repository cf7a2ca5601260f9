import assert from "node:assert/strict";
import { test } from "node:test";
import { afterLook, isBlocked, type PortPassage } from "./blocked-ports.ts";

/** What is known after looks, 5 s apart, that found these counters. */
function after(...looks: readonly (readonly [offered: number, arrived: number])[]): PortPassage {
  let known: PortPassage | null = null;
  for (const [index, [offered, arrived]] of looks.entries())
    known = afterLook(known, { offered, arrived }, index * 5_000);
  return known ?? assert.fail();
}

test("a port is blocked once twenty packets in a row have not arrived, at two looks or more", () => {
  assert.ok(isBlocked(after([90, 90], [100, 90], [110, 90])));
  assert.ok(isBlocked(after([90, 90], [100, 90], [100, 90], [110, 90])));
  assert.ok(!isBlocked(after([90, 90], [100, 90], [109, 90])));
  assert.ok(!isBlocked(after([90, 90], [120, 90], [120, 90])), "it may be a moment");
});

test("one client whose every packet is dropped closes no port: 1, 3, 7, 15, 31, 63 s after its first", () => {
  const offered = [0, 1, 3, 7, 15, 31, 63].map((second) => second * 1_000);
  const looks = Array.from({ length: 30 }, (_, look) => offered.filter((at) => at <= look * 5_000).length);
  assert.ok(!isBlocked(after(...looks.map((count) => [count, 0] as const))));
});

test("what was counted before the first look does not count", () => {
  assert.ok(!isBlocked(after([90, 0], [90, 0], [90, 0])));
});

test("one that arrives ends it, as where a rule drops only some", () => {
  assert.ok(!isBlocked(after([0, 0], [50, 1], [57, 1])));
  assert.ok(!isBlocked(after([0, 0], [50, 0], [100, 0], [101, 1])));
  assert.deepEqual(after([0, 0], [50, 0], [100, 1]).lastAt, null);
});

test("on a port where nobody tries any more it ends after five minutes", () => {
  const quiet = (looks: number) => after([0, 0], [50, 0], ...Array.from({ length: looks }, () => [100, 0] as const));
  assert.ok(isBlocked(quiet(60)));
  assert.ok(!isBlocked(quiet(61)));
});

test("a table that is made anew begins from zero", () => {
  assert.deepEqual(after([90, 80], [3, 0]), { seen: { offered: 3, arrived: 0 }, lost: 3, looks: 1, lastAt: 5_000 });
  assert.deepEqual(after([90, 80], [95, 2]).lost, 0);
});
