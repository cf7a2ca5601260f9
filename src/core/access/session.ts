import { DAY_MS, HOUR_MS, later, MINUTE_MS, type Millis } from "../time.ts";

/** How long a session of the dashboard is valid without use, and in total. OWASP, Session Management Cheat Sheet. */
export const SESSION_IDLE_MS = 12 * HOUR_MS;
export const SESSION_AGE_MS = 7 * DAY_MS;
/** How long an entered password counts as a fresh proof. */
export const PROOF_MS = 10 * MINUTE_MS;
/** The last use is stored at most this often, so that not every page view causes a write. */
export const NOTE_USE_MS = MINUTE_MS;

/** Setting the clock back by less than this ends no session. Times further ahead come from a wrong clock and are ignored. */
export const SESSION_AHEAD_MS = HOUR_MS;

/** When the proof expires; null if a new one is needed. */
export function freshUntil(provedAt: Millis, now: Millis): Millis | null {
  const until = later(provedAt, PROOF_MS);
  // A proof from the future was given before the clock was set back.
  return provedAt <= now && now < until ? until : null;
}

export function isWorthNoting(usedAt: Millis | null, now: Millis): boolean {
  return usedAt === null || Math.abs(now - usedAt) >= NOTE_USE_MS;
}
