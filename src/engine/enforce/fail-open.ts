import { type Decision, decision } from "../../core/decide/decision.ts";
import type { Event } from "../../core/events/event.ts";
import type { Reason } from "../../core/events/reasons.ts";

const OPEN = decision("pass", "not_recorded", { counted: false, recorded: false });
/** Earlier decisions, and decisions of administrators. */
const HOLDS: readonly Reason[] = ["banned", "account_inactive", "outside_networks"];

/**
 * The answer while the database cannot be written: a ban in force still holds, as does what administrators said about
 * their accounts, and the mail of a held account is still held. Sign-ins are decided. Other mail passes, because every
 * refusal must be recorded. Null: no decision could be made.
 */
export function failOpen(event: Event | null, decided: Decision | null): Decision {
  if (decided === null || event === null) return OPEN;
  return "login" in event || HOLDS.includes(decided.reason) || isHeldAlready(decided) ? decided : OPEN;
}

function isHeldAlready({ verdict, changes }: Decision): boolean {
  return verdict === "hold" && !changes.some(({ type }) => type === "HOLD_ACCOUNT");
}
