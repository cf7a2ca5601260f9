import assert from "node:assert/strict";
import { test } from "node:test";
import { keeperFault } from "./keeper-fault.ts";

test("the keeper's reason is passed on; an answer without the asked field is that of another version", () => {
  assert.equal(keeperFault({ ok: false, reason: "The keeper hung up." }).message, "The keeper hung up.");
  assert.equal(keeperFault({ ok: true, detail: "" }).message, "The keeper runs a different version.");
});
