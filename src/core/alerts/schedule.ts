import { readOr } from "../error.ts";
import { DAY_MS, later, MINUTE_MS, type Millis } from "../time.ts";
import type { Severity } from "./alerts.ts";

/** Minutes of the day; the end is not included. If `from` is later than `to`, they span midnight. */
export type QuietHours = Readonly<{ from: number; to: number }>;

export type Schedule = Readonly<{
  /** Null: none. */
  quiet: QuietHours | null;
  /** An IANA name; empty means the machine's own. */
  timeZone: string;
  /** How long `info` is collected; 0 sends it at once. */
  digestMs: number;
}>;

/** Reads `22:00-07:00`; null for anything else. */
export function parseQuietHours(text: string): QuietHours | null {
  const [, h1, m1, h2, m2] = /^([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)$/.exec(text) ?? [];
  if (h1 === undefined) return null;
  const quiet = { from: Number(h1) * 60 + Number(m1), to: Number(h2) * 60 + Number(m2) };
  return quiet.from === quiet.to ? null : quiet;
}

export function isTimeZone(name: string): boolean {
  return readOr(() => new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "", false);
}

/** When a message of this severity may be sent: now, or after the quiet hours. */
export function notifyAt(severity: Severity, now: Millis, schedule: Schedule): Millis {
  if (severity === "critical") return now;
  return afterQuiet(severity === "info" ? later(now, schedule.digestMs) : now, schedule);
}

const DAY_MINUTES = DAY_MS / MINUTE_MS;

/** The same time, or the end of the quiet hours around it. */
export function afterQuiet(at: Millis, { quiet, timeZone }: Schedule): Millis {
  if (quiet === null) return at;
  const minute = minuteOfDay(at, timeZone);
  const isQuiet =
    quiet.from < quiet.to ? minute >= quiet.from && minute < quiet.to : minute >= quiet.from || minute < quiet.to;
  if (!isQuiet) return at;
  const leftMinutes = (quiet.to - minute + DAY_MINUTES) % DAY_MINUTES;
  const end = later(at, leftMinutes * MINUTE_MS - (at % MINUTE_MS));
  // If summer time starts or ends in between, this is an hour late or early.
  const lateMinutes = ((minuteOfDay(end, timeZone) - quiet.to + 1.5 * DAY_MINUTES) % DAY_MINUTES) - DAY_MINUTES / 2;
  const exact = later(end, -lateMinutes * MINUTE_MS);
  return exact > at ? exact : end;
}

function minuteOfDay(at: Millis, timeZone: string): number {
  const zone = timeZone === "" ? {} : { timeZone };
  const clock = new Intl.DateTimeFormat("en-GB", { ...zone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const [hour = 0, minute = 0] = clock.format(new Date(at)).split(":").map(Number);
  return hour * 60 + minute;
}

const RETRIES = { firstMs: 5_000, longestMs: 30 * MINUTE_MS } as const;
/** A message that could not be delivered for this long is dropped, unless it is the newest one for a failing channel. */
export const GIVE_UP_MS = 3 * DAY_MS;

/** The pause after this many failed attempts. */
export function retryMs(attempts: number): number {
  return Math.min(RETRIES.longestMs, RETRIES.firstMs * 2 ** (attempts - 1));
}
