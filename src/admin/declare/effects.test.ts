import assert from "node:assert/strict";
import { test } from "node:test";
import { DRY_RUNS } from "../../../test/kit/dry-verbs.ts";
import { hasDryRun } from "./control.ts";
import { mayAsk } from "./rights.ts";
import type { ADMIN, changes, GivenFor, Rights, ROOT, rootChanges } from "./verb.ts";

test("what can be tried is what the web may ask, and neither a sign-in nor a list", () => {
  for (const verb of DRY_RUNS) assert.ok(mayAsk("web", verb) && hasDryRun({ verb }), verb);
  for (const verb of ["sign_in", "prove", "allow_list", "break_glass"] as const) assert.ok(!hasDryRun({ verb }), verb);
});

type Fits<R extends Rights, G> = G extends GivenFor<R> ? true : false;

test("a change that the web may ask for does not compile without a bound", () => {
  const byRoot: Fits<typeof ROOT, ReturnType<typeof rootChanges>> = true;
  const byWeb: Fits<typeof ADMIN, ReturnType<typeof rootChanges>> = false;
  const bounded: Fits<typeof ADMIN, ReturnType<typeof changes>> = true;
  assert.ok(byRoot && !byWeb && bounded);
});
