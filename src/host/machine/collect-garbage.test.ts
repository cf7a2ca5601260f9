import assert from "node:assert/strict";
import { test } from "node:test";
import { collectGarbage } from "./late-flags.ts";

test("what is not used any more is given back", () => {
  let held: unknown[] | null = Array.from({ length: 200_000 }, (_, i) => ({ text: `number ${i}` }));
  const before = process.memoryUsage().heapUsed;
  assert.equal(held.length, 200_000);
  held = null;
  collectGarbage();
  const freed = before - process.memoryUsage().heapUsed;
  assert.ok(freed > 8 * 1024 * 1024, `${freed} bytes were freed`);
});
