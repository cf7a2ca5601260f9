import assert from "node:assert/strict";
import { test } from "node:test";
import { keeperFault } from "./refusals.ts";

test("passes on the keeper's reason; an answer without the requested field means a different version", () => {
  assert.equal(keeperFault({ ok: false, reason: "The keeper hung up." }).message, "The keeper hung up.");
  assert.equal(keeperFault({ ok: true, detail: "" }).message, "The keeper runs a different version.");
});
