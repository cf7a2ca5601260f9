import assert from "node:assert/strict";
import { test } from "node:test";
import { differences, type Kept } from "./incident.ts";

const kept = (of: Readonly<Record<string, string>>): Kept =>
  new Map(
    Object.entries(of).map(([what, value]) => [what, { value, shown: what === "password" ? "(secret)" : value }]),
  );

test("what was added, removed or changed is a difference, by name, and no secret is shown", () => {
  const then = kept({ same: "1", password: "old", gone: "2", changed: "3" });
  const now = kept({ new: "5", changed: "4", password: "new", same: "1" });
  assert.deepEqual(differences(then, now), [
    { what: "changed", was: "3", is: "4" },
    { what: "gone", was: "2", is: null },
    { what: "new", was: null, is: "5" },
    { what: "password", was: "(secret)", is: "another" },
  ]);
});
