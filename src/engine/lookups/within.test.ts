import assert from "node:assert/strict";
import { test } from "node:test";
import { within } from "./within.ts";

test("what comes in time counts, and nothing waits for what does not", async () => {
  assert.equal(await within(Promise.resolve("answer"), 10_000, "none"), "answer");
  assert.equal(await within(new Promise<string>(() => {}), 1, "none"), "none");
});
