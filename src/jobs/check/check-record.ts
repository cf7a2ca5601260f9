import * as z from "zod/mini";
import { CHECK_STATES } from "../../admin/declare/reports.ts";
import { DAY_MS } from "../../core/time.ts";
import { recordIn } from "../../host/root-files/record-file.ts";

/** Some checks can never be repeated, for instance after a change of settings. */
const MOST_UNSEEN_MS = 30 * DAY_MS;

const checkResult = z.object({
  state: z.enum(CHECK_STATES),
  evidence: z.string(),
  /** When it last was ok; null: never. */
  passedAt: z.nullable(z.number()),
  /** Since when a failure that is kept could not be checked. */
  unseenSince: z.optional(z.number()),
});
const schema = z.object({
  /** Since when checks are scheduled. */
  since: z.number(),
  /** When all of them last ran. */
  at: z.nullable(z.number()),
  /** When the keeper last started to run them. */
  triedAt: z.nullable(z.number()),
  checks: z.record(z.string(), checkResult),
});
/** The last results of this server's checks, as in `checks/last.json`. */
export type CheckRecord = Readonly<z.output<typeof schema>>;
export type CheckResult = Readonly<z.output<typeof checkResult>>;
type Seen = Readonly<Pick<CheckResult, "state" | "evidence"> & { id: string }>;

export const NO_CHECKS: CheckRecord = { since: 0, at: null, triedAt: null, checks: {} };

/** An unreadable record counts as empty: the next run creates a new one. */
export const { read: readCheckRecord, change: changeCheckRecord } = recordIn("checkRecord", schema, NO_CHECKS);

/** Adds the results at `now`. `isWhole`: all checks ran; obsolete ones are then removed. */
export function noted(record: CheckRecord, seen: readonly Seen[], now: number, isWhole: boolean): CheckRecord {
  const fresh = seen.map((one) => [one.id, keptOf(one, record.checks[one.id], now)] as const);
  const before = isWhole ? {} : record.checks;
  return { ...record, at: isWhole ? now : record.at, checks: { ...before, ...Object.fromEntries(fresh) } };
}

/** A failure stays, with its evidence, while it cannot be checked: `unknown` is not a pass. */
function keptOf({ state, evidence }: Seen, before: CheckResult | undefined, now: number): CheckResult {
  if (state === "unknown" && before?.state === "wrong") {
    const unseenSince = before.unseenSince ?? now;
    if (now - unseenSince < MOST_UNSEEN_MS) return { ...before, unseenSince };
  }
  return { state, evidence, passedAt: state === "ok" ? now : (before?.passedAt ?? null) };
}

/** The checks that passed once and fail now. */
export function fallen({ checks }: Pick<CheckRecord, "checks">): readonly string[] {
  return Object.entries(checks)
    .filter(([, { state, passedAt }]) => state === "wrong" && passedAt !== null)
    .map(([id]) => id);
}
