import assert from "node:assert/strict";
import { test } from "node:test";
import { DRY_RUNS, hasDryRun } from "./dry-runs.ts";
import { mayAsk } from "./rights.ts";

test("what can be tried is what the web may ask, and neither a sign-in nor a list", () => {
  for (const verb of DRY_RUNS) assert.ok(mayAsk("web", verb) && hasDryRun({ verb }), verb);
  for (const verb of ["sign_in", "prove", "allow_list", "break_glass"] as const) assert.ok(!hasDryRun({ verb }), verb);
});
