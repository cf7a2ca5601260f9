import assert from "node:assert/strict";
import { test } from "node:test";
import { simulatedSentence } from "./event.ts";

test("a decision without effect tells what it would have been", () => {
  assert.deepEqual(simulatedSentence({ details: "smtp from=<a@b.test>" }, "refuse"), {
    details: "smtp from=<a@b.test> (simulated: would be refused)",
    action: "allowed; would be refused",
  });
});
