import assert from "node:assert/strict";
import { test } from "node:test";
import { within } from "./outside.ts";

test("uses what arrives in time, and does not wait for the rest", async () => {
  assert.equal(await within(Promise.resolve("answer"), 10_000, "none"), "answer");
  assert.equal(await within(new Promise<string>(() => {}), 1, "none"), "none");
});
