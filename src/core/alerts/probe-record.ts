import { MINUTE_MS, type Millis, SECOND_MS } from "../time.ts";

/** What a probe found. `hangs`: no answer at all within its time, so that only a restart helps. */
export type ProbeResult =
  | Readonly<{ ok: true }>
  | Readonly<{
      ok: false;
      hangs: boolean;
      /** The part's reaction, as the rest of a sentence that starts with its name. */
      says: string;
    }>;

/** What is remembered about one probe. */
export type ProbeRecord = Readonly<{
  /** Failures in a row. */
  failures: number;
  /** When the first of them came; null if the last probe succeeded. */
  since: Millis | null;
  hangs: boolean;
  says: string;
  /** When the part was last restarted because of this probe. */
  restartedAt: Millis | null;
}>;

export const UNTRIED: ProbeRecord = { failures: 0, since: null, hangs: false, says: "", restartedAt: null };

/** One failure may be a busy machine: the part is probed again before it is reported. */
const REPORTED_FROM = 2;
/** After this many failures and this time, a hanging part is restarted, and a broken one counts as down. */
const ACT_FROM = 6;
const PATIENCE_MS = 30 * SECOND_MS;
/** A part that has just started may take a while to answer. */
const STARTS_WITHIN_MS = 15 * SECOND_MS;
/** Minimum time between restarts, because each one closes open connections and may not help. */
const RESTARTS_EVERY_MS = 10 * MINUTE_MS;
/** How long a busy processor excuses a part's silence. */
const MAY_STARVE_MS = 10 * MINUTE_MS;

type ProbedAt = Readonly<{ now: Millis; isYoung: boolean; isStarved: boolean }>;

/**
 * `isYoung`: whether the part's process was started within the last seconds, and has not answered since. `isStarved`: whether the server's
 * programs had to wait for a processor during the probe. Then the part may only be slow, so it is reported, but restarted only after ten
 * minutes: by then, it may be its own endless loop that makes them wait.
 */
export function afterProbe(record: ProbeRecord, result: ProbeResult, at: ProbedAt): ProbeRecord {
  const { now, isYoung, isStarved } = at;
  const { failures, restartedAt } = record;
  if (result.ok) return { ...UNTRIED, restartedAt };
  const since = record.since ?? now;
  // A part that keeps exiting is always young.
  const counts = !isYoung || now - since >= STARTS_WITHIN_MS;
  const waits = result.hangs && isStarved;
  const isExcused = waits && failures >= REPORTED_FROM && Math.abs(now - since) < MAY_STARVE_MS;
  const says = waits ? `${result.says} while programs wait for a processor` : result.says;
  return { failures: failures + (counts && !isExcused ? 1 : 0), since, hangs: result.hangs, says, restartedAt };
}

/** The failure stays reported, and the count towards the next restart starts from there. */
export function afterRestart(record: ProbeRecord, now: Millis): ProbeRecord {
  return { ...record, failures: Math.min(record.failures, REPORTED_FROM), restartedAt: now };
}

/** Whether a process that was started then may still be starting. */
export function isYoungAt(startedAt: Millis, now: Millis): boolean {
  return Math.abs(now - startedAt) < STARTS_WITHIN_MS;
}

export function isReported({ failures }: ProbeRecord): boolean {
  return failures >= REPORTED_FROM;
}

export function wantsRestart(record: ProbeRecord, now: Millis): boolean {
  const { hangs, restartedAt } = record;
  const isDue = restartedAt === null || Math.abs(now - restartedAt) >= RESTARTS_EVERY_MS;
  return isPersistent(record, now) && hangs && isDue;
}

/** Whether no restart has helped, or none would: people must act. */
export function isBeyondHelp(record: ProbeRecord, now: Millis): boolean {
  return isPersistent(record, now) && !wantsRestart(record, now);
}

function isPersistent({ failures, since }: ProbeRecord, now: Millis): boolean {
  return failures >= ACT_FROM && since !== null && Math.abs(now - since) >= PATIENCE_MS;
}
