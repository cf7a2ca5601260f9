import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { ascending, descending, firstPage, type Page, type PageRequest, pageByKey } from "./paging.ts";

const itself = (item: string): string => item;
const page = (items: readonly string[], limit: number, cursor: string | null = null) =>
  pageByKey(items, { limit, cursor }, itself);

test("a page has the cursor of the next one, and the total", () => {
  assert.deepEqual(page(["a", "b", "c"], 2), { items: ["a", "b"], next: "b", total: 3 });
  assert.deepEqual(page(["a", "b", "c"], 2, "b"), { items: ["c"], next: null, total: 3 });
  assert.deepEqual(page(["a", "b"], 2), { items: ["a", "b"], next: null, total: 2 }, "a page that is just full");
  assert.deepEqual(page([], 2), { items: [], next: null, total: 0 });
  assert.deepEqual(page(["a", "c"], 2, "b"), { items: ["c"], next: null, total: 2 }, "the cursor's item has gone");
  assert.deepEqual(firstPage(["a", "b"], 1, itself), { items: ["a"], next: "a" });
});

test("the pages of any list hold each of its items once, in its order", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.string({ maxLength: 4 })), fc.integer({ min: 1, max: 5 }), (items, limit) => {
      const seen: string[] = [];
      for (let asked: PageRequest | null = { limit, cursor: null }; asked !== null; ) {
        const { items: some, next }: Page<string> = pageByKey(items, asked, itself);
        assert.ok(some.length === limit || next === null);
        seen.push(...some);
        asked = next === null ? null : { limit, cursor: next };
      }
      const sorted = items.toSorted((a, b) => (a < b ? -1 : 1));
      assert.deepEqual(seen, sorted);
    }),
    { seed: 6 },
  );
});

test("numbers in a cursor sort like their texts", () => {
  assert.ok(ascending(9) < ascending(10) && ascending(10) < ascending(1_763_622_000_000));
  assert.ok(descending(10) < descending(9) && descending(1_763_622_000_000) < descending(10));
});
