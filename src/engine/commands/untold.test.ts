import assert from "node:assert/strict";
import { test } from "node:test";
import { untold } from "./untold.ts";

test("what the keeper gives as a reason is told; an answer without what was asked is that of another version", () => {
  assert.equal(untold({ ok: false, reason: "The keeper hung up." }).message, "The keeper hung up.");
  assert.equal(untold({ ok: true, detail: "" }).message, "The keeper is of another version.");
});
