import { isDeepStrictEqual } from "node:util";
import * as z from "zod/mini";
import type { KeeperTrouble } from "../../admin/declare/keeper.ts";
import type { RetentionReport } from "../../admin/declare/reports.ts";
import { type ClockNote, clockSeen, leapSince } from "../../core/clock-leap.ts";
import { failureOf, messageOf } from "../../core/error.ts";
import { minute } from "../../core/report/figures.ts";
import { DAY_MS, HOUR_MS, instant, isoTime, isoTimeOrNull } from "../../core/time.ts";
import type { Clock } from "../../guard/ports.ts";
import { recordIn, writeRecord } from "../../host/root-files/record-file.ts";
import type { Layout } from "../../settings/layout.ts";
import type { Settings } from "../../settings/schema.ts";
import { isNightDue, type JobFailure, nextNight, oneAtATime, withUnnoted } from "../job.ts";
import {
  type FolderTimes,
  type MailFolders,
  type Removed,
  readFolderTimes,
  readLegalHolds,
  runRetention,
  writeFolderTimes,
} from "./retention.ts";

export type RetentionSettings = Pick<Settings, "retention.mail" | "retention.hour">;

const schema = z.object({
  /** When this server first checked (ms): the first run is at the next nightly hour. */
  since: z.number(),
  lookedAt: z.number(),
  leap: z.nullable(z.object({ at: z.number(), byMs: z.number() })),
  last: z.nullable(z.object({ at: z.number(), mails: z.number(), bytes: z.number() })),
  failure: z.nullable(z.object({ at: z.number(), reason: z.string() })),
});
export type RetentionRecord = Readonly<z.output<typeof schema>>;
const NOTHING: RetentionRecord = { since: 0, lookedAt: 0, leap: null, last: null, failure: null };

/** An unreadable record counts as empty: mail is then removed a day later. */
export const { read: readRetentionRecord } = recordIn("retentionRecord", schema, NOTHING);

/**
 * When each folder came under its rule. Empty after a clock jump, because mails may have wrong times too, and without a record, because a
 * jump would have been missed.
 */
export function folderTimes(layout: Layout, now: number): FolderTimes {
  const record = readRetentionRecord(layout);
  const isKnown = record.since !== 0 && leapSince(record, now) === null;
  return isKnown ? readFolderTimes(layout.retentionFolders) : {};
}

/** `inForce`: null while the settings cannot be read. */
type RetentionRun = Readonly<{
  settings: RetentionSettings;
  inForce: () => RetentionSettings | null;
  now: number;
  mail: MailFolders;
}>;

/** Removes mail past its retention time now, and notes the run. Never rejects: failing to note it is a failure too. */
export async function removeOldMail(layout: Layout, { settings, inForce, now, mail }: RetentionRun): Promise<Removed> {
  const times = folderTimes(layout, now);
  const rulesNow = () => inForce()?.["retention.mail"] ?? [];
  const rules = { rules: settings["retention.mail"], rulesNow, holds: () => readLegalHolds(layout.legalHolds), times };
  const { removed, times: seen } = await runRetention(mail, rules, now).catch((error: unknown) => ({
    removed: { mails: 0, bytes: 0, accounts: 0, failure: messageOf(error) },
    times,
  }));
  const { mails, bytes, failure } = removed;
  const before = readRetentionRecord(layout);
  const record =
    failure === null
      ? { last: { at: now, mails, bytes }, failure: null }
      : { failure: { at: now, reason: failure }, last: before.last };
  const unnoted = failureOf(() => {
    if (!isDeepStrictEqual(seen, readFolderTimes(layout.retentionFolders)))
      writeFolderTimes(layout.retentionFolders, seen);
    const since = before.since === 0 ? now : before.since;
    writeRecord(layout.retentionRecord, { since, lookedAt: now, leap: null, ...record });
  });
  if (unnoted === null) return removed;
  return { ...removed, failure: failure ?? `what was removed could not be noted: ${unnoted}` };
}

/** Removes mail each night, and knows whether that worked. */
export function createRetentionJob(
  layout: Layout,
  clock: Clock,
  inForce: () => RetentionSettings | null,
  mail: MailFolders,
) {
  /** The last run's failure, in memory because the disk may not be able to store it. */
  let unnoted: JobFailure | null = null;

  const recorded = (): RetentionRecord => withUnnoted(readRetentionRecord(layout), unnoted);

  /** Notes the check. If the folders' times are unknown from now on, removes them before it notes anything else. */
  function seen(now: number): RetentionRecord {
    const before = recorded();
    const isFirst = before.since === 0;
    const noted = isFirst ? { lookedAt: now, leap: null } : clockSeen(before, now);
    if (noted === before) return before;
    const { lookedAt, leap } = noted;
    const record = { ...before, lookedAt, leap, since: isFirst ? now : before.since };
    if (isFirst || leap?.at === now) writeFolderTimes(layout.retentionFolders, {});
    writeRecord(layout.retentionRecord, record);
    return record;
  }

  async function remove(settings: RetentionSettings, now: number): Promise<void> {
    const { failure } = await removeOldMail(layout, { settings, inForce, now, mail });
    unnoted = failure === null ? null : { at: now, reason: failure };
  }

  return {
    look: oneAtATime(clock, inForce, (settings, now) => {
      const record = seen(now);
      const isDue = record.leap === null && isNightDue(record, settings["retention.hour"], now);
      return isDue ? remove(settings, now) : null;
    }),
    troubles: (): readonly KeeperTrouble[] => {
      const { failure, leap } = recorded();
      const detail = leap === null ? failure?.reason : leapText(leap);
      return detail === undefined ? [] : [{ code: "retention_failed", detail }];
    },
  };
}

/** When mail is removed next; null while a clock jump is not trusted. */
function nextRun(record: RetentionRecord, hour: number, now: number): number | null {
  if (record.leap !== null) return null;
  // Before the first check nothing is scheduled.
  if (record.since !== 0 && isNightDue(record, hour, now)) return now;
  const night = nextNight(hour, now);
  return record.failure === null ? night : Math.min(night, record.failure.at + HOUR_MS);
}

export function leapText({ at, byMs }: NonNullable<ClockNote["leap"]>): string {
  const days = Math.round(Math.abs(byMs) / DAY_MS);
  return `the clock went ${byMs > 0 ? "ahead" : "back"} by ${days} days, to ${minute(isoTime(instant(at)))}, or the server was off: no mail is removed for a day, and every folder's retention period starts over`;
}

/**
 * Returns the state of retention without reading the mailboxes, which takes long. Omits the reasons of legal holds. Throws if the list of
 * holds cannot be read.
 */
export function retentionReport(layout: Layout, settings: RetentionSettings, now: number): RetentionReport {
  const record = readRetentionRecord(layout);
  const { last, leap, failure } = record;
  return {
    nextRunAt: isoTimeOrNull(nextRun(record, settings["retention.hour"], now)),
    lastRun: last && { ...last, at: isoTime(instant(last.at)) },
    failure: failure && { ...failure, at: isoTime(instant(failure.at)) },
    paused: leap && leapText(leap),
    legalHolds: readLegalHolds(layout.legalHolds).map(({ account, since }) => ({ account, since })),
  };
}
