import assert from "node:assert/strict";
import { test } from "node:test";
import { inOneByte } from "./bundle.ts";

test("a character that needs two bytes is escaped without changing its meaning; others stay unchanged", () => {
  for (const text of ["plain", "é«»", "…", "\u{1f600} and \u2028"]) {
    const written = inOneByte(text);
    assert.ok(
      [...written].every((character) => character <= "\xff"),
      written,
    );
    assert.equal(JSON.parse(`"${written}"`), text);
  }
  assert.equal(inOneByte("/[.…]$/ é"), "/[.\\u2026]$/ é");
});
