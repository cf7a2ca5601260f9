import type { Ban, BanLevel, Change, Evidence } from "./decision.ts";
import type { Facts } from "./facts.ts";
import type { Policy } from "./policy.ts";
import { type Reason, reasons } from "./reasons.ts";
import { formatDuration, later, type Millis } from "./time.ts";

const RUNGS: readonly BanLevel[] = ["light", "medium", "heavy"];

type Offence = Readonly<{ code: Reason; evidence: Evidence }>;

/** The ban that this offence earns: one rung higher for each offence within the memory. */
export function nextBan(
  policy: Policy,
  facts: Pick<Facts, "subject" | "ip" | "offences">,
  offence: Offence,
  now: Millis,
): Extract<Change, { type: "BAN" }> {
  const { ladderMs, permanent } = policy.bans;
  const forGood = permanent && facts.offences >= ladderMs.length;
  const rung = Math.min(facts.offences, ladderMs.length - 1);
  const durationMs = ladderMs[rung] ?? 0;
  const ban: Ban = {
    prefix: facts.subject,
    ip: facts.ip,
    level: forGood ? "permanent" : (RUNGS[rung] ?? "heavy"),
    code: offence.code,
    reason: describe(offence),
    source: "engine",
    createdAt: now,
    expiresAt: forGood ? null : later(now, durationMs),
    offences: facts.offences + 1,
  };
  return { type: "BAN", ban };
}

function describe({ code, evidence: { count, limit, windowMs } }: Offence): string {
  return `${reasons[code].says.replace(/\.$/, "")}: ${count} within ${formatDuration(windowMs)}, limit ${limit}`;
}
