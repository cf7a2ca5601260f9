import { type Decision, decision } from "../../core/decide/decision.ts";
import type { Event } from "../../core/events/event.ts";
import type { Reason } from "../../core/events/reasons.ts";

const OPEN = decision("pass", "not_recorded", { counted: false, recorded: false });
/** What administrators said, and what was decided before. */
const HOLDS: readonly Reason[] = ["banned", "account_inactive", "outside_networks"];

/**
 * What is answered while the database takes no writes: a ban in force still holds, as does what administrators said of
 * their accounts, and sign-ins are judged. Other mail passes, for nothing may be refused that cannot be explained
 * afterwards. Null: not even a decision could be made.
 */
export function failOpen(event: Event | null, decided: Decision | null): Decision {
  if (decided === null || event === null) return OPEN;
  return "login" in event || HOLDS.includes(decided.reason) ? decided : OPEN;
}
