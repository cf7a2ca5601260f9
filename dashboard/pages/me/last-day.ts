import { isPast } from "../../format.ts";

/** The day of the reader's clock, as a field of type `date` has it. Null: none. */
export function dayOf(iso: string | null): string {
  if (iso === null) return "";
  const at = new Date(iso);
  const two = (number: number): string => String(number).padStart(2, "0");
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

/**
 * The last second of a day of the reader's clock; null: no day. Keeps the stored time on the same day, which may have been set by another
 * clock, unless it is past.
 */
export function endOf(day: string, stored: string | null, now: number): string | null {
  if (day === dayOf(stored) && !isPast(stored, now)) return stored;
  return day === "" ? null : new Date(`${day}T23:59:59`).toISOString();
}
