import { statfsSync } from "node:fs";
import { dirname } from "node:path";
import * as z from "zod/mini";
import { messageOf } from "../../core/error.ts";
import type { DiskDay, DiskFigures, Unless } from "../../core/report/figures.ts";
import { HOUR_MS, isoTime, type Millis } from "../../core/time.ts";
import { recordIn, writeRecord } from "../../host/root-files/record-file.ts";
import { bytesBelow } from "../../host/root-files/walk.ts";
import type { Layout } from "../../settings/layout.ts";
import type { Settings } from "../../settings/schema.ts";

export type ReportSettings = Pick<Settings, "report.mail" | "report.hour">;

const mailSchema = z.object({
  /** The setting that `done` is about. */
  schedule: z.string(),
  /** Periods that need no mail any more, by the day of their mail; the latest last. */
  done: z.array(z.string()),
  /** The last report that was mailed. */
  last: z.nullable(z.object({ at: z.number(), to: z.array(z.string()) })),
  /** Why a later one was not mailed. */
  failure: z.nullable(z.object({ at: z.number(), reason: z.string() })),
});
/** Which reports were mailed, as in `report/mailed.json`. */
export type MailRecord = Readonly<z.output<typeof mailSchema>>;

const NOTHING: MailRecord = { schedule: "", done: [], last: null, failure: null };
/** Maximum weeks, or months, that are remembered. */
const KEPT_PERIODS = 10;
const AGAIN_MS = HOUR_MS;

/** A record that this user cannot read counts as empty. */
export const { read: readMailRecord, change: changeMailRecord } = recordIn("reportsMailed", mailSchema, NOTHING);

/** Adds a period that needs no mail any more. Drops later ones, which were noted while the clock was ahead. */
export function withPeriod(record: MailRecord, period: string): readonly string[] {
  return [...record.done.filter((one) => one < period), period].slice(-KEPT_PERIODS);
}

/**
 * Returns the period whose mail must be sent now, as its day in the machine's time zone; null if none. `isNew` says that the schedule was
 * chosen in this period, which then counts as done.
 */
export function duePeriod(
  record: MailRecord,
  settings: ReportSettings,
  now: number,
): Readonly<{ period: string; isNew: boolean }> | null {
  const schedule = settings["report.mail"];
  if (schedule === "off") return null;
  const period = periodOf(schedule, settings["report.hour"], now);
  if (record.schedule !== schedule) return { period, isNew: true };
  if (record.done.includes(period)) return null;
  const sinceFailure = record.failure === null ? Number.POSITIVE_INFINITY : now - record.failure.at;
  return sinceFailure >= 0 && sinceFailure < AGAIN_MS ? null : { period, isNew: false };
}

/** The last Monday, or first day of a month, whose hour has come. */
function periodOf(schedule: "weekly" | "monthly", hour: number, now: number): string {
  const day = new Date(now);
  day.setHours(hour, 0, 0, 0);
  if (day.getTime() > now) day.setDate(day.getDate() - 1);
  if (schedule === "monthly") day.setDate(1);
  else day.setDate(day.getDate() - ((day.getDay() + 6) % 7));
  const two = (n: number): string => String(n).padStart(2, "0");
  return `${day.getFullYear()}-${two(day.getMonth() + 1)}-${two(day.getDate())}`;
}

/** Days that are kept: enough for a trend over three months. */
const KEPT_DAYS = 100;

const daysSchema = z.array(
  z.object({ day: z.string(), usedBytes: z.number(), logBytes: z.number(), databaseBytes: z.number() }),
);

/** The present state of the disk, and its recorded days. */
export function diskFigures(layout: Layout): Unless<DiskFigures> {
  try {
    return { known: true, path: layout.data, ...measured(layout), history: readDiskDays(layout) };
  } catch (error) {
    return { known: false, reason: `The disk cannot be read: ${messageOf(error)}.` };
  }
}

const NO_DAYS: readonly DiskDay[] = [];
/** Days that cannot be read count as missing. */
export const { read: readDiskDays } = recordIn("diskDays", daysSchema, NO_DAYS);

/** Records the disk once a day. Removes days with a future time. Throws if it cannot be written. */
export function noteDiskDay(layout: Layout, now: Millis): void {
  const day = isoTime(now).slice(0, 10);
  const days = readDiskDays(layout);
  const past = days.filter((one) => one.day < day);
  if (days.at(-1)?.day === day) return;
  const { freeBytes, totalBytes, logBytes, databaseBytes } = measured(layout);
  const today = { day, usedBytes: totalBytes - freeBytes, logBytes, databaseBytes };
  writeRecord(layout.diskDays, [...past, today].slice(-KEPT_DAYS));
}

function measured(layout: Layout): Omit<DiskFigures, "path" | "history"> {
  const { bavail, blocks, bsize } = statfsSync(layout.data);
  return {
    freeBytes: bavail * bsize,
    totalBytes: blocks * bsize,
    logBytes: bytesBelow(layout.log),
    databaseBytes: bytesBelow(dirname(layout.engineDb)) + bytesBelow(dirname(layout.accountsDb)),
  };
}
