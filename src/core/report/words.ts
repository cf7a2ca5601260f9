import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from "../time.ts";

const UNITS = ["bytes", "kB", "MB", "GB", "TB"] as const;

/** `12.3 MB`: powers of 1,000, one digit after the point. */
export function bytes(n: number): string {
  let at = 0;
  let value = Math.abs(n);
  for (; value >= 1_000 && at < UNITS.length - 1; at += 1) value /= 1_000;
  return `${n < 0 ? "-" : ""}${at === 0 ? Math.round(value) : value.toFixed(1)} ${UNITS[at] ?? ""}`;
}

/** `12,345` */
export function number(n: number): string {
  return n.toLocaleString("en");
}

/** `2026-11-20` */
export function day(at: string): string {
  return at.slice(0, 10);
}

/** `2026-11-20 07:05 UTC` */
export function minute(at: string): string {
  return `${at.slice(0, 10)} ${at.slice(11, 16)} UTC`;
}

/** Whole days from one time to a later one; negative: it is past. */
export function daysBetween(from: string, to: string): number {
  return Math.floor((Date.parse(to) - Date.parse(from)) / DAY_MS);
}

/** `3 s`, `12 min`, `2 h` */
export function roughly(ms: number): string {
  const units: readonly (readonly [number, string])[] = [
    [HOUR_MS, "h"],
    [MINUTE_MS, "min"],
    [SECOND_MS, "s"],
  ];
  const [unitMs, name] = units.find(([size]) => ms >= size) ?? [SECOND_MS, "s"];
  return `${Math.round(ms / unitMs)} ${name}`;
}

/** `12 %`; of nothing, none. */
export function share(part: number, whole: number): string {
  return `${whole === 0 ? 0 : Math.round((100 * part) / whole)} %`;
}
