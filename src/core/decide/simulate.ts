import type { Reason } from "../events/reasons.ts";
import { type Change, type Decision, isLeftToPostgrey } from "./decision.ts";
import type { Facts } from "./facts.ts";

/** Refusals that follow from what administrators said about their accounts, not from limits. They hold even then. */
export const HOLDS: readonly Reason[] = ["account_inactive", "outside_networks"];

/** The same facts without any ban. */
export function unbanned(facts: Facts): Facts {
  return new Proxy(facts, {
    get(all, name) {
      const value: unknown = name === "ban" ? null : Reflect.get(all, name);
      return typeof value === "function" ? (...given: unknown[]): unknown => Reflect.apply(value, all, given) : value;
    },
  });
}

/**
 * A decision while `simulate` is set: recorded as it would be, but the client is not stopped. Bans are noted, so that later
 * decisions are made as after a ban, and never reach the firewall. Manual and earlier bans stay in force.
 */
export function withoutEffect({ ban }: Pick<Facts, "ban">, decided: Decision): Decision {
  const isBanned = decided.reason === "banned" && ban !== null && ban.simulated !== true;
  // One that existed before: a simulation makes none.
  const isHeld = decided.verdict === "hold" && !decided.changes.some(({ type }) => type === "HOLD_ACCOUNT");
  const isReal = isBanned || isHeld;
  const changes = decided.changes.some(({ type }) => type === "BAN")
    ? decided.changes.map(withoutBan)
    : decided.changes;
  if (isLeftToPostgrey(decided)) return { ...decided, simulated: "defer" };
  if (decided.reason === "first_contacts_marked") return { ...decided, simulated: "pass" };
  if (decided.verdict === "pass" || isReal || HOLDS.includes(decided.reason)) return { ...decided, changes };
  const begun = changes.filter(({ type }) => type !== "HOLD_ACCOUNT");
  return { ...decided, changes: begun, verdict: "pass", simulated: decided.verdict };
}

function withoutBan(change: Change): Change {
  return change.type === "BAN" ? { type: "BAN", ban: { ...change.ban, simulated: true } } : change;
}
