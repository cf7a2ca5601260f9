import { type Decision, decision } from "../../core/decide/decision.ts";

const OPEN = decision("pass", "not_recorded", { counted: false, recorded: false });

/**
 * What is answered while the database takes no writes: a ban in force still holds, everything else passes,
 * for nothing may be refused that cannot be explained afterwards. Null: not even a decision could be made.
 */
export function failOpen(decided: Decision | null): Decision {
  return decided !== null && decided.reason === "banned" ? decided : OPEN;
}
