import assert from "node:assert/strict";
import { test } from "node:test";
import { decision } from "../../core/decide/decision.ts";
import { failOpen } from "./fail-open.ts";

test("what cannot be recorded passes, counts for nothing and says so; a ban in force still holds", () => {
  const open = { verdict: "pass", reason: "not_recorded", counted: false, recorded: false };
  for (const decided of [null, decision("refuse", "mail_limit"), decision("pass", "below_limit")]) {
    const { verdict, reason, counted, recorded } = failOpen(decided);
    assert.deepEqual({ verdict, reason, counted, recorded }, open);
  }
  const banned = decision("refuse", "banned");
  assert.equal(failOpen(banned), banned);
});
