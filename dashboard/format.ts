import { type Language, language } from "./messages.ts";

const UNITS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1_000],
];
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** `in 25 minutes`, `3 hours ago`. */
export function relativeTime(at: number, now: number, lang: Language = language): string {
  const apart = at - now;
  const [unit, size] = UNITS.find(([, least]) => Math.abs(apart) >= least) ?? ["second", 1_000];
  return new Intl.RelativeTimeFormat(lang, { numeric: "always" }).format(Math.round(apart / size), unit);
}

/** The time of day, with the date if it is not today, and the year if it is not this one. */
export function moment(at: number, now: number, lang: Language = language): string {
  const [day, today] = [new Date(at), new Date(now)];
  const time = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" } as const;
  if (day.toDateString() === today.toDateString()) return new Intl.DateTimeFormat(lang, time).format(at);
  const year = day.getFullYear() === today.getFullYear() ? undefined : "numeric";
  return new Intl.DateTimeFormat(lang, { ...time, month: "short", day: "numeric", year }).format(at);
}

/** `2026-11-21T14:02` by the reader's clock, in the format of a form field. Swedish times look like ISO 8601. */
export function localTime(at: number): string {
  return new Date(at).toLocaleString("sv").slice(0, 16).replace(" ", "T");
}

/** The day by the reader's clock, in the format of a `date` field. `iso` null: no day. */
export function dayOf(iso: string | null): string {
  return iso === null ? "" : localTime(Date.parse(iso)).slice(0, 10);
}

/** The last second of a day by the reader's clock; null if there is no day. A stored time on that day stays, unless it is past. */
export function endOfDay(day: string, stored: string | null, now: number): string | null {
  if (day === dayOf(stored) && !isPast(stored, now)) return stored;
  return day === "" ? null : new Date(`${day}T23:59:59`).toISOString();
}

/** `until` null: it has no end. */
export function isPast(until: string | null, now: number): boolean {
  return until !== null && Date.parse(until) <= now;
}

export function hourAndMinute(at: number, lang: Language = language): string {
  return new Intl.DateTimeFormat(lang, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(at);
}

export function whole(value: number, lang: Language = language): string {
  return value.toLocaleString(lang);
}

/** `12.5 %`, as the language writes it. */
export function percent(share: number, lang: Language = language): string {
  return share.toLocaleString(lang, { style: "percent", maximumFractionDigits: 1 });
}

const SIZES: readonly (readonly [string, number])[] = [
  ["TB", 1024 ** 4],
  ["GB", 1024 ** 3],
  ["MB", 1024 ** 2],
  ["KB", 1024],
];

/** `3.1 GB`, in powers of 1,024, as in the settings. */
export function size(bytes: number, lang: Language = language): string {
  const [unit, unitBytes] = SIZES.find(([, least]) => bytes >= least) ?? ["KB", 1024];
  return `${(bytes / unitBytes).toLocaleString(lang, { maximumFractionDigits: 1 })} ${unit}`;
}

/** Escapes invisible characters, and those that turn the direction of text, as the server does: `\u{202e}`. */
export function escapeInvisible(text: string): string {
  return text.replaceAll(INVISIBLE, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}

/** `Aliases – Accounts – GhostInbox`, for the window and screen readers: the most specific first, and nothing twice. */
export function windowTitle(...names: readonly string[]): string {
  return [...new Set([...names, "GhostInbox"])].filter((name) => name !== "").join(" – ");
}

type Some<F extends string> = string extends F ? Readonly<Record<F, string>> : Readonly<{ [_ in F]?: string }>;

/** Without the fields that are empty. */
export function withoutEmpty<F extends string>(fields: Readonly<Record<F, string>>): Some<F> {
  const some = Object.entries<string>(fields).filter(([, value]) => value !== "");
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- some of the same fields
  return Object.fromEntries(some) as Some<F>;
}

export function shortPrefix(prefix: string): string {
  return prefix.replace(prefix.includes(":") ? /\/128$/ : /\/32$/, "");
}
