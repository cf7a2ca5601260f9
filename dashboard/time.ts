import { h } from "./element.ts";

const UNITS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1_000],
];
const relative = new Intl.RelativeTimeFormat("en", { numeric: "always", style: "long" });

/** `in 25 minutes`, `3 hours ago`; the exact time is its title. */
export function when(iso: string): HTMLElement {
  const at = new Date(iso);
  const distance = at.getTime() - Date.now();
  const [unit, size] = UNITS.find(([, least]) => Math.abs(distance) >= least) ?? ["second", 1_000];
  return h("time", { datetime: iso, title: at.toLocaleString() }, relative.format(Math.round(distance / size), unit));
}

/** The time of day, with seconds. */
export function clock(iso: string): HTMLElement {
  const at = new Date(iso);
  const text = at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
  return h("time", { datetime: iso, title: at.toLocaleString() }, text);
}

export function uptime(seconds: number): string {
  const days = Math.floor(seconds / 86_400);
  const hours = Math.floor((seconds % 86_400) / 3_600);
  const minutes = Math.floor((seconds % 3_600) / 60);
  if (days > 0) return `${days} d ${hours} h`;
  return hours > 0 ? `${hours} h ${minutes} min` : `${minutes} min`;
}
