import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatSize, parseSize } from "./kind.ts";

test("sizes are powers of 1,024", () => {
  assert.equal(parseSize("10MB"), 10_485_760);
  assert.equal(parseSize(" 512kb "), 524_288);
  assert.equal(parseSize("2GB"), 2_147_483_648);
  assert.equal(parseSize("7B"), 7);
});

for (const text of ["", "10", "MB", "-1MB", "1.5MB", "10 MB", "10TB", "1000000000000000MB", "999999999GB"])
  test(`no size: ${JSON.stringify(text)}`, () => assert.equal(parseSize(text), null));

test("a size is printed so that it is read as itself", () => {
  fc.assert(
    fc.property(fc.nat(999_999_999), fc.constantFrom("B", "KB", "MB"), (amount, unit) => {
      const sizeBytes = parseSize(`${amount}${unit}`);
      assert.notEqual(sizeBytes, null);
      assert.equal(parseSize(formatSize(sizeBytes ?? -1)), sizeBytes);
    }),
  );
});
