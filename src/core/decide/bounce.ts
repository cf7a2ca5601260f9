import { isBounce, type Recipient } from "../events/mail.ts";
import type { Millis } from "../time.ts";
import { type Decision, decision } from "./decision.ts";
import type { Facts } from "./facts.ts";
import type { Policy } from "./policy.ts";
import { exceeded, reached } from "./windows.ts";

export type BounceQuestion = Pick<Facts, "bounce" | "bounces" | "serverProbes" | "known" | "recipient">;

/**
 * A bounce names a recipient; null: nothing forbids it.
 * Spam in the name of made-up users makes honest servers send bounces to them, so an unknown recipient is not an
 * offence here. To hide which names exist, a bounce has one recipient, and after three times the probing limit, or once
 * bounces from anywhere have asked for too many, known and unknown recipients get the same answer. The exception is a
 * recipient who wrote to that server and expects an answer.
 */
export function decideBounce(policy: Policy, facts: BounceQuestion, event: Recipient, now: Millis): Decision | null {
  if (!isBounce(event)) return null;
  if (facts.bounce.hasOther) return decision("refuse", "bounce_recipients", { counted: false });
  const fromAnywhere = facts.known ? null : reached(policy.serverProbes, facts.serverProbes, now);
  const evidence = exceeded(policy.probes, facts.bounces, now, policy.knownFactor) ?? fromAnywhere;
  const isAnswered = evidence === null || (facts.recipient === "known" && facts.bounce.isExpected);
  if (!isAnswered) return decision("defer", "bounces_deferred", { evidence, counted: false });
  return facts.recipient === "unknown" ? decision("refuse", "recipient_unknown") : null;
}
