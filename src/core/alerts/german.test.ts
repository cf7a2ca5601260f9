import assert from "node:assert/strict";
import { test } from "node:test";
import { germanConditions, germanNotices } from "./german.ts";

test("each text is a sentence", () => {
  for (const text of [...Object.values(germanNotices), ...Object.values(germanConditions)].flatMap((one) =>
    Object.values(one),
  ))
    assert.match(text, /^(?:[`A-ZÄÖÜ]|docs\/).*\.$/, text);
});
