import assert from "node:assert/strict";
import { test } from "node:test";
import { type Decision, decision, type Verdict } from "../../core/decide/decision.ts";
import { reasons } from "../../core/events/reasons.ts";
import { printPolicyAction } from "./policy.ts";

const answers: readonly (readonly [string, Decision, "CONNECT" | "RECIPIENT" | "MAIL", string])[] = [
  ["a pass", decision("pass", "below_limit"), "RECIPIENT", "DUNNO"],
  ["a pass of someone who was banned", decision("pass", "banned"), "CONNECT", "DUNNO"],
  ["a delay", decision("delay", "known_address"), "MAIL", "DUNNO"],
  ["a mail that is held", decision("hold", "account_held"), "MAIL", "HOLD"],
  ["a ban at connect", decision("refuse", "banned"), "CONNECT", "421 4.7.0 Service not available, try again later"],
  ["a ban at DATA", decision("refuse", "mail_limit"), "MAIL", "421 4.7.0 Service not available, try again later"],
  ["a provider at DATA", decision("defer", "provider_busy"), "MAIL", "450 4.7.1 Too busy, try again later"],
  ["a provider at connect", decision("defer", "provider_busy"), "CONNECT", "421 4.7.1 Too busy, try again later"],
  ["a forged sender", decision("refuse", "own_sender"), "RECIPIENT", "550 5.7.1 Sender address rejected"],
  ["a first contact", decision("pass", "greylist_asked"), "RECIPIENT", "greylist"],
  ["an unknown recipient that is hidden", decision("pass", "recipient_hidden"), "RECIPIENT", "greylist_unknown"],
  [
    "a mail of one of many new places",
    decision("pass", "first_contacts_marked"),
    "MAIL",
    "PREPEND X-GhostInbox-Crowd: one of many first mails",
  ],
  ["the same in simulation", { ...decision("pass", "first_contacts_marked"), simulated: "pass" }, "MAIL", "DUNNO"],
  ["a reason without a reply", decision("refuse", "loopback"), "CONNECT", "DUNNO"],
];
for (const [name, decided, stage, action] of answers)
  test(`policy action: ${name}`, () => assert.equal(printPolicyAction(decided, stage), `action=${action}\n\n`));

test("every answer is one line and an empty one, and says to strangers only what the catalogue says", () => {
  const verdicts: readonly Verdict[] = ["pass", "delay", "hold", "defer", "refuse"];
  for (const reason of Object.keys(reasons).filter((key) => isReason(key)))
    for (const verdict of verdicts)
      for (const stage of ["CONNECT", "RECIPIENT", "MAIL", "MESSAGE"] as const)
        assert.match(
          printPolicyAction(decision(verdict, reason), stage),
          /^action=(DUNNO|HOLD|greylist|greylist_unknown|PREPEND X-GhostInbox-Crowd: [a-z ]+|[45]\d\d [45]\.\d\.\d [\x20-\x7e]+)\n\n$/,
        );
});

function isReason(key: string): key is keyof typeof reasons {
  return Object.hasOwn(reasons, key);
}
