import assert from "node:assert/strict";
import { test } from "node:test";
import { DRY_VERBS } from "../../../test/kit/dry-verbs.ts";
import { STRANGER } from "../../../test/kit/samples.ts";
import { hasDryRun, type Verb } from "./control.ts";
import { actorFrom, actorOf, rightsOf } from "./rights.ts";
import type { ADMIN, changes, GivesFor, Rights, ROOT, rootChanges } from "./verb.ts";

test("no one may use an unknown verb", () => {
  const unknown: string = "nonsense";
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the point of the test
  assert.deepEqual(rightsOf(unknown as Verb).from, []);
});

test("the web cannot name an actor: the guard names the caller that it found", () => {
  assert.equal(actorFrom("root", "root"), "root");
  assert.equal(actorFrom("web", "root"), "web:unnamed");
  const actor = (how: "session" | "token", name: string, account: string | null = null) =>
    actorOf({ how, name, account }, STRANGER);
  assert.equal(actor("session", "admin"), "web:admin via 203.0.113.7");
  assert.equal(actor("token", "ci"), "web:token ci via 203.0.113.7");
  const user = "anna@example.org";
  assert.equal(actor("session", user, user), "mailbox:anna@example.org via 203.0.113.7");
});

test("only verbs of the web have a dry run, and neither a sign-in nor a list has one", () => {
  for (const verb of DRY_VERBS) assert.ok(rightsOf(verb).from.includes("web") && hasDryRun({ verb }), verb);
  for (const verb of ["sign_in", "prove", "allow_list", "break_glass"] as const) assert.ok(!hasDryRun({ verb }), verb);
});

type Fits<R extends Rights, G> = G extends GivesFor<R> ? true : false;

test("a change that the web may ask for does not compile without a bound", () => {
  const byRoot: Fits<typeof ROOT, ReturnType<typeof rootChanges>> = true;
  const byWeb: Fits<typeof ADMIN, ReturnType<typeof rootChanges>> = false;
  const bounded: Fits<typeof ADMIN, ReturnType<typeof changes>> = true;
  assert.ok(byRoot && !byWeb && bounded);
});
