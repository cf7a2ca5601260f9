import assert from "node:assert/strict";
import { test } from "node:test";
import { net } from "../../test/kit/samples.ts";
import { HOUR_MS, instant, later } from "../core/time.ts";
import { Budget, Budgets } from "./budget.ts";

const T0 = instant(1_800_000_000_000);

test("allows a bounded number within the window, and one more for each that has left it", () => {
  const budget = new Budget(2, HOUR_MS);
  assert.deepEqual([budget.spend(T0), budget.spend(later(T0, 1)), budget.spend(later(T0, 2))], [true, true, false]);
  assert.ok(!budget.isLeft(later(T0, HOUR_MS - 1)));
  assert.ok(budget.spend(later(T0, HOUR_MS)));
  assert.ok(!budget.isLeft(later(T0, HOUR_MS)));
});

test("entries do not stay after the clock was set back", () => {
  const budget = new Budget(2, HOUR_MS);
  for (const at of [T0, later(T0, 10 * HOUR_MS)]) budget.spend(at);
  assert.equal(budget.left(T0), 1);
  assert.ok(budget.isLeft(T0));
});

test("each address has a separate share, which is full again after the window", () => {
  const shares = new Budgets(1, HOUR_MS);
  const [first, second] = [net("192.0.2.0/24"), net("198.51.100.0/24")];
  assert.deepEqual([shares.spend(first, T0), shares.spend(first, T0), shares.spend(second, T0)], [true, false, true]);
  assert.ok(shares.spend(first, later(T0, HOUR_MS)));
});
