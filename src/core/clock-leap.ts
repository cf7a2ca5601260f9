import { DAY_MS, HOUR_MS } from "./time.ts";

/**
 * A clock that jumps further than this is not trusted at once. A machine that was off looks the same, so this is longer than a long
 * weekend: after each jump, everything is kept for its full time again.
 */
const LEAP_MS = 5 * DAY_MS;
/** A clock that keeps its new time for this long is trusted. */
export const BELIEVED_AFTER_MS = DAY_MS;
/** How often a check is noted: each note may be flushed to the disk. */
const NOTED_EVERY_MS = HOUR_MS;

/** What a job that removes by age knows about the clock (ms). `lookedAt`: time of the last check; `leap`: while set, nothing is removed. */
export type ClockNote = Readonly<{ lookedAt: number; leap: Readonly<{ at: number; byMs: number }> | null }>;

/** How far the clock was set since the last check, positive if ahead; null if it ran normally. */
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
