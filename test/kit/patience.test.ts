import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";

const SCRIPT = `const { patience } = await import(${JSON.stringify(join(import.meta.dirname, "patience.ts"))}); console.log(patience(1000));`;

test("a deadline is longer where the machine is slower, and never shorter", () => {
  for (const [slowness, ms] of [
    ["2.5", 2_500],
    ["0.5", 1_000],
  ] as const) {
    const env = { ...process.env, TEST_SLOWNESS: slowness };
    const said = execFileSync(process.execPath, ["--input-type=module", "-e", SCRIPT], { env, encoding: "utf8" });
    assert.equal(Number(said), ms);
  }
});
