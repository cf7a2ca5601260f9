import { type Decision, decision } from "../../core/decide/decision.ts";

const OPEN = decision("pass", "not_recorded", { counted: false, recorded: false });

/**
 * The answer while the database cannot be written: a ban in force still holds, everything else passes, because every
 * refusal must be recorded. Null: no decision could be made.
 */
export function failOpen(decided: Decision | null): Decision {
  return decided !== null && decided.reason === "banned" ? decided : OPEN;
}
