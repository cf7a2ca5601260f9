import assert from "node:assert/strict";
import { test } from "node:test";
import { guess, mail } from "../../../test/kit/engine-events.ts";
import { outcomeOf } from "../../../test/kit/mail-examples.ts";
import { BAN } from "../../../test/kit/samples.ts";
import { decision } from "./decision.ts";
import { whatStillApplies } from "./unrecorded.ts";

test("mail that cannot be recorded passes, is not counted, and has its own reason", () => {
  const open = { verdict: "pass", reason: "not_recorded", counted: false, recorded: false };
  for (const decided of [decision("refuse", "mail_limit"), decision("pass", "below_limit")]) {
    const { verdict, reason, counted, recorded } = whatStillApplies(mail(), decided);
    assert.deepEqual({ verdict, reason, counted, recorded }, open);
  }
});

test("a ban in force still holds, as do commands of administrators and decisions on sign-ins", () => {
  for (const reason of ["banned", "account_inactive", "outside_networks"] as const) {
    const held = decision("refuse", reason);
    assert.equal(whatStillApplies(mail(), held), held);
  }
  const judged = decision("refuse", "account_guarded");
  assert.equal(whatStillApplies(guess("a"), judged), judged);
  const kept = decision("hold", "account_held");
  assert.equal(whatStillApplies(mail(), kept), kept, "an account that was held before");
  const evidence = { count: 21, limit: 20, windowMs: 1, key: null };
  const hold = { type: "HOLD_ACCOUNT", account: "", prefix: BAN.prefix, ip: BAN.ip, evidence } as const;
  const deferred = whatStillApplies(mail(), decision("hold", "account_held", { evidence, changes: [hold] }));
  assert.equal(outcomeOf(deferred), "defer account_recipient_limit, uncounted, unrecorded");
  assert.equal(deferred.evidence, evidence);
  for (const reason of ["account_recipient_limit", "account_mail_limit", "account_hold_full"] as const) {
    const limited = decision("defer", reason, { evidence });
    assert.equal(whatStillApplies(mail(), limited), limited, reason);
  }
});
