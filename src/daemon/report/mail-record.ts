import * as z from "zod/mini";
import { readRecord, writeRecord } from "../../adapters/root-files/record-file.ts";
import { HOUR_MS } from "../../core/time.ts";
import type { Layout } from "../../settings/layout.ts";
import type { Settings } from "../../settings/schema.ts";

export type MailRules = Pick<Settings, "report.mail" | "report.hour">;

const schema = z.object({
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
export type MailRecord = Readonly<z.output<typeof schema>>;

const NOTHING: MailRecord = { schedule: "", done: [], last: null, failure: null };
/** Maximum weeks, or months, that are remembered. */
const KEPT = 10;
const AGAIN_MS = HOUR_MS;

/** A record that cannot be read, or not by this user, counts as empty. */
export function readMailRecord(layout: Layout): MailRecord {
  return readRecord(layout.reportsMailed, schema, NOTHING);
}

export function changeMailRecord(layout: Layout, change: Partial<MailRecord>): void {
  writeRecord(layout.reportsMailed, { ...readMailRecord(layout), ...change });
}

/** The period needs no mail any more: it was mailed, or is not wanted. Later periods came from a clock that was ahead. */
export function withPeriod(record: MailRecord, period: string): readonly string[] {
  return [...record.done.filter((one) => one < period), period].slice(-KEPT);
}

/**
 * The period whose mail must be sent now: its day, in the machine's time zone; null if none. The period in which the schedule was
 * chosen counts as done, which `isNew` says.
 */
export function duePeriod(
  record: MailRecord,
  rules: MailRules,
  now: number,
): Readonly<{ period: string; isNew: boolean }> | null {
  const schedule = rules["report.mail"];
  if (schedule === "off") return null;
  const period = periodOf(schedule, rules["report.hour"], now);
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
