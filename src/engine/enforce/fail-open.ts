import { type Decision, decision } from "../../core/decide/decision.ts";
import type { Event } from "../../core/events/event.ts";
import type { Reason } from "../../core/events/reasons.ts";

const OPEN = decision("pass", "not_recorded", { counted: false, recorded: false });
/** Earlier decisions, commands of administrators, and limits that count in memory at that time. */
const HOLDS: readonly Reason[] = [
  "banned",
  "account_inactive",
  "outside_networks",
  "account_recipient_limit",
  // For an account past this limit, nothing is looked up about its recipients.
  "account_mail_limit",
];

/**
 * The answer while the database cannot be written: a ban in force still holds, as do commands of administrators about
 * their accounts, and the mail of a held account is still held. Sign-ins are decided, and the number of recipients of an
 * account is limited. Other mail passes, because every refusal must be recorded. Null: no decision could be made.
 */
export function failOpen(event: Event | null, decided: Decision | null): Decision {
  if (decided === null || event === null) return OPEN;
  if (holdsAccount(decided)) return mustWait(decided);
  return "login" in event || HOLDS.includes(decided.reason) || decided.verdict === "hold" ? decided : OPEN;
}

function holdsAccount({ changes }: Decision): boolean {
  return changes.some(({ type }) => type === "HOLD_ACCOUNT");
}

/** No one would learn of a hold that is not recorded. */
function mustWait({ evidence }: Decision): Decision {
  return decision("defer", "account_recipient_limit", { evidence, counted: false, recorded: false });
}
