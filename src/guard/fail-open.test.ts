import assert from "node:assert/strict";
import { test } from "node:test";
import { guess, mail } from "../../test/kit/engine-events.ts";
import { BAN } from "../../test/kit/samples.ts";
import { decision } from "../core/decide/decision.ts";
import { failOpen } from "./commits.ts";

test("mail that cannot be recorded passes, is not counted, and has its own reason", () => {
  const open = { verdict: "pass", reason: "not_recorded", counted: false, recorded: false };
  for (const decided of [null, decision("refuse", "mail_limit"), decision("pass", "below_limit")]) {
    const { verdict, reason, counted, recorded } = failOpen(mail(), decided);
    assert.deepEqual({ verdict, reason, counted, recorded }, open);
  }
});

test("a ban in force still holds, as do commands of administrators and decisions on sign-ins", () => {
  for (const reason of ["banned", "account_inactive", "outside_networks"] as const) {
    const held = decision("refuse", reason);
    assert.equal(failOpen(mail(), held), held);
  }
  const judged = decision("refuse", "account_guarded");
  assert.equal(failOpen(guess("a"), judged), judged);
  assert.equal(failOpen(guess("a"), null).reason, "not_recorded");
  assert.equal(failOpen(null, judged).reason, "not_recorded");
  const kept = decision("hold", "account_held");
  assert.equal(failOpen(mail(), kept), kept, "an account that was held before");
  const evidence = { count: 21, limit: 20, windowMs: 1, key: null };
  const hold = { type: "HOLD_ACCOUNT", account: "", prefix: BAN.prefix, ip: BAN.ip, evidence } as const;
  const deferred = failOpen(mail(), decision("hold", "account_held", { evidence, changes: [hold] }));
  assert.deepEqual([deferred.verdict, deferred.evidence, deferred.changes], ["defer", evidence, []]);
  const limited = decision("defer", "account_recipient_limit", { evidence });
  assert.equal(failOpen(mail(), limited), limited);
});
