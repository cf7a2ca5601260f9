import { isPast, localTime } from "../../format.ts";

/** The day by the reader's clock, in the format of a `date` field. `iso` null: no day. */
export function dayOf(iso: string | null): string {
  return iso === null ? "" : localTime(Date.parse(iso)).slice(0, 10);
}

/** The last second of a day by the reader's clock; null if there is no day. A stored time on that day stays, unless it is past. */
export function endOf(day: string, stored: string | null, now: number): string | null {
  if (day === dayOf(stored) && !isPast(stored, now)) return stored;
  return day === "" ? null : new Date(`${day}T23:59:59`).toISOString();
}
