import assert from "node:assert/strict";
import { test } from "node:test";
import { notices } from "./notices.ts";

test("each notice says what is wrong and what to do, as whole sentences that differ", () => {
  const texts = Object.values(notices).flatMap(({ says, next }) => [says, next]);
  for (const text of texts) assert.match(text, /^[A-Z].{15,}\.$/);
  assert.equal(new Set(texts).size, texts.length);
});
