import { DAY_MS, HOUR_MS } from "../../../core/time.ts";

/** A clock that was set this far is not trusted at once. A machine that was off for longer looks the same. */
const LEAP_MS = 2 * DAY_MS;
/** A clock that keeps its new time for this long is trusted. */
const BELIEVED_AFTER_MS = DAY_MS;
/** How often a check is noted: each note is flushed to the disk. */
const NOTED_EVERY_MS = HOUR_MS;

/** Retention's view of the clock (ms). `lookedAt`: time of the last check; `leap`: nothing is removed while it is set. */
export type ClockNote = Readonly<{ lookedAt: number; leap: Readonly<{ at: number; byMs: number }> | null }>;

/** How far the clock was set since the last check, positive if ahead; null: it ran normally. */
export function leapSince({ lookedAt }: Pick<ClockNote, "lookedAt">, now: number): number | null {
  const byMs = now - lookedAt;
  return Math.abs(byMs) > LEAP_MS ? byMs : null;
}

/** The note after a check at `now`; the same object if nothing changed. */
export function clockSeen(note: ClockNote, now: number): ClockNote {
  const byMs = leapSince(note, now);
  if (byMs !== null) return { lookedAt: now, leap: { at: now, byMs } };
  if (note.leap !== null && now - note.leap.at >= BELIEVED_AFTER_MS) return { lookedAt: now, leap: null };
  return Math.abs(now - note.lookedAt) >= NOTED_EVERY_MS ? { ...note, lookedAt: now } : note;
}

/** For people. */
export function leapText({ at, byMs }: Readonly<{ at: number; byMs: number }>): string {
  const days = Math.round(Math.abs(byMs) / DAY_MS);
  const to = new Date(at).toISOString().slice(0, 16).replace("T", " ");
  return `the clock went ${byMs > 0 ? "ahead" : "back"} by ${days} days, to ${to} UTC, or the server was off: nothing is removed for a day`;
}
