import { SECOND_MS } from "./time.ts";

/** `2026-11-20 07:05:01 UTC` */
export function dayAndTime(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`;
}

/** A remaining time, for people: `3 d 4 h`, `2 h 5 min`, `12 min`, `40 s`. */
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

/** `until 2026-11-20 07:05:01 UTC (12 min left)` or `for good`. */
export function until(expiresAt: string | null, nowMs: number): string {
  if (expiresAt === null) return "for good";
  return `until ${dayAndTime(expiresAt)} (${span(Date.parse(expiresAt) - nowMs)} left)`;
}

/** A network as people write it: a single address without its length. */
export function shown(prefix: string): string {
  return prefix.replace(prefix.includes(":") ? /\/128$/ : /\/32$/, "");
}
