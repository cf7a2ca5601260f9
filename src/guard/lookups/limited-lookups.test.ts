import assert from "node:assert/strict";
import { test } from "node:test";
import { withDeadline } from "./limited-lookups.ts";

test("uses what arrives in time, and does not wait for the rest", async () => {
  assert.equal(await withDeadline(Promise.resolve("answer"), 10_000, "none"), "answer");
  assert.equal(await withDeadline(new Promise<string>(() => {}), 1, "none"), "none");
});
