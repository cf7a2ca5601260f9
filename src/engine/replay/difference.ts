import type { Verdict } from "../../core/decide/decision.ts";
import type { RecordedVerdict } from "../../core/events/columns.ts";
import type { Reason } from "../../core/events/reasons.ts";
import type { Replayed } from "./replay.ts";

/** The recorded outcome. A sign-in whose password was checked left no event: it passed. */
export type Then = Readonly<{ verdict: RecordedVerdict | null; reason: Reason | null }>;
/** `harder`: refused, deferred or delayed, and less so at that time. */
export type Difference = "harder" | "milder" | "reason" | "bans";

export function thenOf({ step }: Replayed): Then {
  if (step.type !== "decided") return { verdict: "pass", reason: null };
  return { verdict: step.record.verdict, reason: step.record.reason };
}

/** How the decision differs from the recorded one; null if it is the same. */
export function differenceOf(replayed: Replayed): Difference | null {
  const { step, decision, bans, spared } = replayed;
  const then = thenOf(replayed);
  // An event that no longer happens has no decision. The event that prevents it counts.
  if (decision === null) return null;
  const order = strictness(decision.verdict) - strictness(then.verdict);
  if (order !== 0) return order > 0 ? "harder" : "milder";
  if (step.type === "asked") return decision.recorded ? "reason" : null;
  if (decision.reason !== then.reason) return "reason";
  const same =
    isSame(
      bans.map(({ prefix, code, expiresAt }) => `${prefix} ${code} ${expiresAt}`),
      step.bans.map(({ prefix, code, expiresAt }) => `${prefix} ${code} ${expiresAt}`),
    ) && isSame(spared, step.spared);
  return same ? null : "bans";
}

const STRICTNESS: readonly (RecordedVerdict | null)[] = [
  "pass",
  "delay",
  "hold",
  "defer",
  "refuse",
] satisfies Verdict[];

function strictness(verdict: RecordedVerdict | null): number {
  return Math.max(0, STRICTNESS.indexOf(verdict));
}

function isSame(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((one, i) => one === others[i]);
}
