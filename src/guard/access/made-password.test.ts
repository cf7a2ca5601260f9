import assert from "node:assert/strict";
import { test } from "node:test";
import { madePassword } from "./secrets.ts";

test("a password is four groups of letters and digits that are easy to distinguish, different each time", () => {
  const made = Array.from({ length: 200 }, madePassword);
  for (const password of made) assert.match(password, /^(?:[a-hj-km-np-z2-9]{5}-){3}[a-hj-km-np-z2-9]{5}$/);
  assert.equal(new Set(made).size, made.length);
});
