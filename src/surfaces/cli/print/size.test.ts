import assert from "node:assert/strict";
import { test } from "node:test";
import { size } from "./text.ts";

test("sizes by powers of 1,000, with one digit after the point", () => {
  const shown = [0, 999, 1_000, 1_550, 999_949_999, 1e15].map(size);
  assert.deepEqual(shown, ["0 bytes", "999 bytes", "1.0 kB", "1.6 kB", "999.9 MB", "1000.0 TB"]);
});
