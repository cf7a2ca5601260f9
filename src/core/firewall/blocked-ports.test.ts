import assert from "node:assert/strict";
import { test } from "node:test";
import { afterLook, isBlocked, type PortPassage } from "./blocked-ports.ts";

/** The facts after checks 5 s apart, each with its number of packets since the previous check. */
function after(...looks: readonly (readonly [offered: number, arrived: number])[]): PortPassage {
  let known: PortPassage | null = null;
  for (const [index, [offered, arrived]] of looks.entries())
    known = afterLook(known, { offered, arrived }, index * 5_000);
  return known ?? assert.fail();
}

test("a port is blocked once twenty packets in a row have not arrived, at two checks or more", () => {
  assert.ok(isBlocked(after([90, 90], [19, 0], [1, 0])));
  assert.ok(isBlocked(after([90, 90], [10, 0], [0, 0], [10, 0])));
  assert.ok(!isBlocked(after([90, 90], [10, 0], [9, 0])));
  assert.ok(!isBlocked(after([90, 90], [30, 0], [0, 0])), "it may be a moment");
});

test("one client whose every packet is dropped closes no port: 1, 3, 7, 15, 31, 63 s after its first", () => {
  const offered = [0, 1, 3, 7, 15, 31, 63].map((second) => second * 1_000);
  const countAt = (look: number) => offered.filter((at) => at <= look * 5_000 && at > (look - 1) * 5_000).length;
  const looks = Array.from({ length: 30 }, (_, look) => [countAt(look), 0] as const);
  assert.ok(!isBlocked(after(...looks)));
});

test("packets before the first check do not count", () => assert.ok(!isBlocked(after([90, 0], [0, 0], [0, 0]))));

test("a packet that arrives resets the count, as when a rule drops only some", () => {
  assert.ok(!isBlocked(after([0, 0], [50, 1], [7, 0])));
  assert.ok(!isBlocked(after([0, 0], [50, 0], [50, 0], [1, 1])));
  assert.deepEqual(after([0, 0], [50, 0], [50, 1]).lastAt, null);
});

test("five minutes without packets reset the count", () => {
  const quiet = (looks: number) =>
    after([0, 0], [50, 0], [50, 0], ...Array.from({ length: looks - 1 }, () => [0, 0] as const));
  assert.ok(isBlocked(quiet(60)));
  assert.ok(!isBlocked(quiet(61)));
});
