declare const millis: unique symbol;
/** An instant: milliseconds since the Unix epoch. Durations are plain numbers whose names end in `Ms`. */
export type Millis = number & { readonly [millis]: true };

export const SECOND_MS = 1_000;
export const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;
export const WEEK_MS = 7 * DAY_MS;

export function instant(epochMs: number): Millis {
  return epochMs as Millis;
}

export function later(from: Millis, byMs: number): Millis {
  return instant(from + byMs);
}

/** Whether something with this end is over; null if it has no end. */
export function isOver(expiresAt: Millis | null, now: Millis): boolean {
  return expiresAt !== null && expiresAt <= now;
}

/** ISO 8601 in UTC, as every interface prints times. */
export function isoTime(at: Millis): string {
  return new Date(at).toISOString();
}

export function isoTimeOrNull(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}

/** The same to the second, and short, for the names of files: `20261121T031500Z`. */
export function compactTime(at: Millis): string {
  return isoTime(at).replace(/\.\d+/, "").replaceAll(/[-:]/g, "");
}

/** RFC 3339, or only a day, which starts at midnight in UTC. */
const TIME = /^(\d{4}-\d\d-\d\d)(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d))?$/;

/** Null for anything else, including a day that the month does not have, which Date.parse() takes for one of the next month. */
export function parseTime(text: string): Millis | null {
  const [, day = ""] = TIME.exec(text) ?? [];
  const midnight = Date.parse(day);
  const at = Date.parse(text);
  if (Number.isNaN(midnight) || Number.isNaN(at)) return null;
  return new Date(midnight).toISOString().startsWith(day) ? instant(at) : null;
}

const UNITS: readonly (readonly [string, number])[] = [
  ["d", DAY_MS],
  ["h", HOUR_MS],
  ["m", MINUTE_MS],
  ["s", SECOND_MS],
  ["ms", 1],
];

/** A century: an instant this far from now can still be written as a date. */
const LONGEST_MS = 36_500 * DAY_MS;

/** Reads `30m`, `2h`, `7d`, `45s`, `500ms`; null for anything else, and for more than a century. */
export function parseDuration(text: string): number | null {
  const match = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text.trim());
  if (match === null) return null;
  const unit = UNITS.find(([name]) => name === match[2]);
  const durationMs = unit === undefined ? Number.NaN : Number(match[1]) * unit[1];
  return durationMs <= LONGEST_MS ? durationMs : null;
}

/** The same for a text that was checked before. */
export function durationOf(text: string): number {
  const durationMs = parseDuration(text);
  if (durationMs === null) throw new Error(`${text} is not a duration`);
  return durationMs;
}

/** The shortest exact form: 7200000 is `2h`, 5400000 is `90m`. */
export function formatDuration(durationMs: number): string {
  const unit = UNITS.find(([, sizeMs]) => durationMs >= sizeMs && durationMs % sizeMs === 0);
  return unit === undefined ? `${durationMs}ms` : `${durationMs / unit[1]}${unit[0]}`;
}

/** `2026-11-20 07:05:01 UTC` */
export function dayAndTime(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`;
}

/** A length of time, for people: `3 d 4 h`, `2 h 5 min`, `12 min`, `40 s`. */
export function span(durationMs: number): string {
  const s = Math.max(0, Math.ceil(durationMs / SECOND_MS));
  if (s < 60) return `${s} s`;
  const min = Math.floor(s / 60);
  if (min < 60) return `${min} min`;
  const h = Math.floor(min / 60);
  return h < 24 ? parts(h, "h", min % 60, "min") : parts(Math.floor(h / 24), "d", h % 24, "h");
}

function parts(big: number, bigUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${big} ${bigUnit}` : `${big} ${bigUnit} ${small} ${smallUnit}`;
}

/** `until 2026-11-20 07:05:01 UTC (12 min left)` or `permanently`. */
export function until(expiresAt: string | null, nowMs: number): string {
  if (expiresAt === null) return "permanently";
  return `until ${dayAndTime(expiresAt)} (${span(Date.parse(expiresAt) - nowMs)} left)`;
}
