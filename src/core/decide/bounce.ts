import { isBounce, type Recipient } from "../events/mail.ts";
import type { Millis } from "../time.ts";
import { type Decision, decision } from "./decision.ts";
import type { Facts } from "./facts.ts";
import type { Policy } from "./policy.ts";
import { exceeded } from "./windows.ts";

export type BounceQuestion = Pick<Facts, "bounce" | "bounces" | "recipient">;

/**
 * A bounce names a recipient; null: nothing stands against it. Spam in the name of made-up users comes back from
 * honest servers, so that asking for a recipient that does not exist is no offence here. So that it is no way to learn
 * names either, a bounce has one recipient, and after three times as many as probing takes, known and unknown
 * recipients are answered alike, but for who wrote there and so waits for it.
 */
export function decideBounce(policy: Policy, facts: BounceQuestion, event: Recipient, now: Millis): Decision | null {
  if (!isBounce(event)) return null;
  if (facts.bounce.hasOther) return decision("refuse", "bounce_recipients", { counted: false });
  const evidence = exceeded(policy.probes, facts.bounces, now, policy.knownFactor);
  const isAnswered = evidence === null || (facts.recipient === "known" && facts.bounce.isExpected);
  if (!isAnswered) return decision("defer", "bounces_deferred", { evidence, counted: false });
  return facts.recipient === "unknown" ? decision("refuse", "recipient_unknown") : null;
}
