import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "./wait.ts";

test("a condition that counts is met once the count is not 0", async () => {
  const counts = [0, 0, 3];
  assert.equal(await until("something is counted", () => counts.shift()), 3);
});
