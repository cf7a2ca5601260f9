import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { editDistance, nearest } from "./text.ts";

test("edit distance counts insertions, deletions, replacements and swaps", () => {
  assert.equal(editDistance("limits", "limits"), 0);
  assert.equal(editDistance("limts", "limits"), 1);
  assert.equal(editDistance("limitss", "limits"), 1);
  assert.equal(editDistance("linits", "limits"), 1);
  assert.equal(editDistance("limtis", "limits"), 1);
  assert.equal(editDistance("", "abc"), 3);
  assert.equal(editDistance("abc", ""), 3);
  assert.equal(editDistance("kitten", "sitting"), 3);
});

test("edit distance is symmetric, and 0 only between equals", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (a, b) => {
      const distance = editDistance(a, b);
      assert.equal(distance, editDistance(b, a));
      assert.equal(distance === 0, a === b);
      assert.ok(distance >= Math.abs(a.length - b.length) && distance <= Math.max(a.length, b.length));
    }),
  );
});

test("a common prefix or suffix of two names changes nothing", () => {
  const word = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 6 });
  fc.assert(
    fc.property(word, word, word, (a, b, same) => {
      assert.equal(editDistance(same + a, same + b), editDistance(a, b));
      assert.equal(editDistance(a + same, b + same), editDistance(a, b));
    }),
  );
});

test("the nearest name wins, the first of several equally near", () => {
  assert.equal(nearest("bann", ["allow", "bans", "band"]), "bans");
  assert.equal(nearest("x", []), "");
});

test("a very long name costs no more than a hundred characters do", () => {
  assert.equal(nearest(`bans${"x".repeat(1_000_000)}`, ["bans"]), "bans");
});
