import { type Reason, reasons } from "../events/reasons.ts";
import { later, type Millis } from "../time.ts";
import {
  type Ban,
  type BanChange,
  type BanLevel,
  countedText,
  type Decision,
  decision,
  type Evidence,
} from "./decision.ts";
import type { Offender } from "./facts.ts";
import { isDetector } from "./jails.ts";
import type { Policy } from "./policy.ts";

const RUNGS: readonly BanLevel[] = ["light", "medium", "heavy"];

type Offence = Readonly<{
  code: Reason;
  evidence: Evidence;
  /** For an offence that a Fail2ban jail found: the length of the jail's first ban. */
  jail?: Readonly<{ name: string; banMs: number }>;
  /** Minimum length of the ban. */
  atLeastMs?: number;
}>;

/** The ban for this offence: one rung higher for each offence within the memory. */
export function nextBan(policy: Policy, facts: Offender, offence: Offence, now: Millis): BanChange {
  const { ladderMs, permanent } = policy.bans;
  const forGood = permanent && facts.offences >= ladderMs.length;
  const rung = Math.min(facts.offences, ladderMs.length - 1);
  const durationMs = lengthOf(offence, facts.offences, ladderMs[rung] ?? 0);
  const ban: Ban = {
    prefix: facts.prefix,
    ip: facts.ip,
    level: forGood ? "permanent" : (RUNGS[rung] ?? "heavy"),
    code: offence.code,
    reason: describe(offence),
    source: offence.jail === undefined || isDetector(offence.jail.name) ? "engine" : "fail2ban",
    createdAt: now,
    expiresAt: forGood ? null : later(now, durationMs),
    offences: facts.offences + 1,
  };
  return { type: "BAN", ban };
}

export function refuseAndBan(policy: Policy, facts: Offender, offence: Offence, now: Millis): Decision {
  const { code, evidence } = offence;
  return decision("refuse", code, { evidence, changes: [nextBan(policy, facts, offence, now)] });
}

/** A jail says how long its first ban is; later ones are never shorter than that. */
function lengthOf({ jail, atLeastMs = 0 }: Offence, offences: number, rungMs: number): number {
  if (jail === undefined) return Math.max(rungMs, atLeastMs);
  return offences === 0 ? jail.banMs : Math.max(jail.banMs, rungMs);
}

function describe({ code, jail, evidence }: Offence): string {
  const by = jail === undefined ? "" : ` (${isDetector(jail.name) ? "" : "jail "}${jail.name})`;
  return `${reasons[code].says.replace(/\.$/, "")}${by}: ${countedText(evidence)}`;
}
