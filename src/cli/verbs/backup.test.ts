import assert from "node:assert/strict";
import { test } from "node:test";
import { rootOnly } from "./backup.ts";

test("who is not root is told which command is root's", (t) => {
  t.mock.method(process, "getuid", () => 1_000);
  const refused = rootOnly("retention show");
  assert.equal(refused?.message, "Only root may use `retention show`.");
  assert.equal(refused.next, "Try again with sudo.");
});
