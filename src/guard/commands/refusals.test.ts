import assert from "node:assert/strict";
import { test } from "node:test";
import { wrongAddress } from "./refusals.ts";

test("an invalid address is shown, shortened and printable, with an example of a valid one", () => {
  const { kind, message, next } = wrongAddress(`\u001b[2J${"x".repeat(200)}`);
  assert.equal(kind, "usage");
  assert.ok(message.length < 120 && !message.includes("\u001b"), message);
  assert.match(next, /alice@example\.org/);
});
