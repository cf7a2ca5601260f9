import * as z from "zod/mini";
import { readRecord, writeRecord } from "../../adapters/root-files/record-file.ts";
import { HOUR_MS } from "../../core/time.ts";
import type { Layout } from "../../settings/layout.ts";
import type { Settings } from "../../settings/schema.ts";

export type MailRules = Pick<Settings, "report.mail" | "report.hour">;

const schema = z.object({
  /** The setting that `done` is about. */
  schedule: z.string(),
  /** Periods that need no mail any more, by the day on which they are due; the latest last. */
  done: z.array(z.string()),
  /** The last report that was mailed. */
  last: z.nullable(z.object({ at: z.number(), to: z.array(z.string()) })),
  /** Why the one after it was not. */
  failure: z.nullable(z.object({ at: z.number(), reason: z.string() })),
});
/** Which reports were mailed, as `report/mailed.json` keeps it. */
export type MailRecord = Readonly<z.output<typeof schema>>;

const NOTHING: MailRecord = { schedule: "", done: [], last: null, failure: null };
/** Weeks, or months, that are remembered. */
const KEPT = 10;
const AGAIN_MS = HOUR_MS;

/** A record that cannot be read, or not by this user, counts as none. */
export function readMailRecord(layout: Layout): MailRecord {
  return readRecord(layout.reportsMailed, schema, NOTHING);
}

export function changeMailRecord(layout: Layout, change: Partial<MailRecord>): void {
  writeRecord(layout.reportsMailed, { ...readMailRecord(layout), ...change });
}

/** The period is over: a mail of it went, or none is wanted. Periods after it were of a clock that was ahead. */
export function withPeriod(record: MailRecord, period: string): readonly string[] {
  return [...record.done.filter((one) => one < period), period].slice(-KEPT);
}

/**
 * The period whose mail is due: its day, in the machine's time zone. Null: none is. The period in which the schedule was
 * chosen counts as done; `isNew` tells of it.
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
