import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "./wait.ts";

test("what is counted is waited for until there is one", async () => {
  const counts = [0, 0, 3];
  assert.equal(await until("something is counted", () => counts.shift()), 3);
});
