import assert from "node:assert/strict";
import { test } from "node:test";
import { dayOf, endOf } from "./last-day.ts";

const NOW = new Date(2026, 10, 21, 14, 2, 30).getTime();

test("a day that was not changed keeps its stored time, and any other ends with its last second", () => {
  const stored = new Date(2026, 11, 24, 0, 59, 59).toISOString();
  const last = new Date(2026, 11, 24, 23, 59, 59).toISOString();
  assert.equal(dayOf(stored), "2026-12-24");
  assert.equal(endOf("2026-12-24", stored, NOW), stored);
  assert.equal(endOf("2026-12-24", null, NOW), last);
  assert.equal(endOf("2026-12-24", new Date(2026, 11, 23).toISOString(), NOW), last);
  assert.equal(endOf("2026-12-24", stored, Date.parse(stored)), last, "it is past");
  assert.deepEqual([endOf("", null, NOW), endOf("", stored, NOW)], [null, null]);
});
