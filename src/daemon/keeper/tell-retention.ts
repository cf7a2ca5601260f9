import { instant, isoTime } from "../../core/time.ts";
import type { Layout } from "../../settings/layout.ts";
import type { RetentionReport } from "../../wire/control/reports.ts";
import { type LegalHold, readLegalHolds } from "./schedules/legal-holds.ts";
import { leapText } from "./schedules/retention-clock.ts";
import {
  nextRun,
  type RetentionRecord,
  type RetentionSettings,
  readRetentionRecord,
} from "./schedules/retention-schedule.ts";

/** The state of retention, without reading the mailboxes, which takes long. Times are in milliseconds since the epoch. */
export type RetentionState = Readonly<{
  /** Null: paused. */
  nextRunAt: number | null;
  lastRun: RetentionRecord["last"];
  failure: RetentionRecord["failure"];
  paused: string | null;
  legalHolds: readonly LegalHold[];
}>;

/** Throws if the list of holds cannot be read. */
export function retentionState(
  layout: Pick<Layout, "retentionRecord" | "legalHolds">,
  settings: Pick<RetentionSettings, "retention.hour">,
  now: number,
): RetentionState {
  const record = readRetentionRecord(layout);
  const { last, leap, failure } = record;
  return {
    nextRunAt: nextRun(record, settings["retention.hour"], now),
    lastRun: last,
    failure,
    paused: leap && leapText(leap),
    legalHolds: readLegalHolds(layout.legalHolds),
  };
}

/** The part for other programs; legal holds without their reasons. */
export function retentionTold({ nextRunAt, lastRun, failure, paused, legalHolds }: RetentionState): RetentionReport {
  return {
    nextRunAt: nextRunAt === null ? null : isoTime(instant(nextRunAt)),
    lastRun: lastRun && { ...lastRun, at: isoTime(instant(lastRun.at)) },
    failure: failure && { ...failure, at: isoTime(instant(failure.at)) },
    paused,
    legalHolds: legalHolds.map(({ account, since }) => ({ account, since })),
  };
}
