import { type Event, isLogin } from "../events/event.ts";
import type { Reason } from "../events/reasons.ts";
import { type Decision, uncounted } from "./decision.ts";

/** The answer to an event that could not be decided, or whose decision cannot be recorded. */
export const UNRECORDED_PASS = uncounted("pass", "not_recorded", { recorded: false });
/** Earlier decisions, administrators' commands, and limits that count in memory while the database cannot be written. */
const APPLY_UNRECORDED: readonly Reason[] = [
  "banned",
  "account_inactive",
  "outside_networks",
  "account_recipient_limit",
  // Decided before the limits on recipients, which would not apply either if such mail passed.
  "account_mail_limit",
  "account_hold_full",
];

/**
 * The answer while the database cannot be written: a ban in force still holds, as do commands of administrators about
 * their accounts, and the mail of a held account is still held. Sign-ins are decided, and the number of recipients of an
 * account is limited. Other mail passes, because every refusal must be recorded.
 */
export function whatStillApplies(event: Event, decided: Decision): Decision {
  // No one would learn of a hold that is not recorded.
  if (decided.changes.some(({ type }) => type === "HOLD_ACCOUNT"))
    return uncounted("defer", "account_recipient_limit", { evidence: decided.evidence, recorded: false });
  return isLogin(event) || APPLY_UNRECORDED.includes(decided.reason) || decided.verdict === "hold"
    ? decided
    : UNRECORDED_PASS;
}
