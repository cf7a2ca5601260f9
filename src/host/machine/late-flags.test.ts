import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { collectGarbage } from "./late-flags.ts";

/** `%GetOptimizationStatus` of V8 (src/runtime/runtime.h). */
const BY_MIDDLE_COMPILER = 1 << 4;
const LATE = new URL("late-flags.ts", import.meta.url).href;

for (const [when, call, expected] of [
  ["before, the middle compiler works", "", BY_MIDDLE_COMPILER],
  ["from then on it does not, and V8 knows every flag", "late.saveMemoryFromNow();", 0],
  ["until the program has settled it does", "late.saveMemoryOnceSettled();", BY_MIDDLE_COMPILER],
  ["then it does not", "late.saveMemoryOnceSettled(0); await new Promise((done) => setTimeout(done, 1));", 0],
] as const)
  test(when, () => {
    const program = `import * as late from ${JSON.stringify(LATE)};
      ${call}
      const hot = (n) => { let sum = 0; for (let i = 0; i < n; i++) sum += i % 7; return sum; };
      for (let i = 0; i < 20_000; i++) hot(100);
      console.log(%GetOptimizationStatus(hot) & ${BY_MIDDLE_COMPILER});`;
    const flags = ["--allow-natives-syntax", "--no-turbofan", "--no-concurrent-recompilation", "--input-type=module"];
    const { stdout, stderr } = spawnSync(process.execPath, [...flags, "-e", program], { encoding: "utf8" });
    assert.deepEqual([stdout, stderr], [`${expected}\n`, ""]);
  });

test("unused memory is returned", () => {
  let held: unknown[] | null = Array.from({ length: 200_000 }, (_, i) => ({ text: `number ${i}` }));
  const before = process.memoryUsage().heapUsed;
  assert.equal(held.length, 200_000);
  held = null;
  collectGarbage();
  const freed = before - process.memoryUsage().heapUsed;
  assert.ok(freed > 8 * 1024 * 1024, `${freed} bytes were freed`);
});
