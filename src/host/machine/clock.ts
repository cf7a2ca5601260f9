import { instant, later, MINUTE_MS, type Millis, SECOND_MS } from "../../core/time.ts";
import type { Clock } from "../../guard/ports.ts";
import { textOrNothing } from "./read-text.ts";

/** Smaller changes are followed at once, such as those by a program that keeps the clock right (chrony, systemd-timesyncd). */
const FOLLOWED_MS = 10 * SECOND_MS;
/** Once the machine's clock has kept its new time for this long, it is trusted. */
const TRUSTED_AFTER_MS = 5 * MINUTE_MS;
/** A clock that keeps moving is trusted this long after it left the earlier time. */
const TRUSTED_AT_LATEST_MS = 15 * MINUTE_MS;
/** A program that keeps the clock right moves it by less than this; a short sleep moves it by more. */
const SLEPT_MS = SECOND_MS;

/** A change of the machine's clock that is not trusted yet. */
export type Jump = Readonly<{
  /** Positive if the clock was set ahead. */
  byMs: number;
  /** In the time before the jump. */
  since: Millis;
  acceptedAt: Millis;
}>;

/** Each returns milliseconds, from any origin. */
type TimeSources = Readonly<{
  wall: () => number;
  /** Cannot be set, but may stop while the machine sleeps. */
  elapsed: () => number;
  /** Advances while the machine sleeps. Null if it cannot be read. Read only if the other two differ. */
  sinceBoot: () => number | null;
}>;

/**
 * The machine's wall clock without its jumps, because a clock that is wrong for a minute must not end bans, sessions and grants,
 * or shift an hour's mails to another day. Until a jump is accepted, time follows the monotonic clock (clock_gettime(2)).
 */
export function createSteadyClock({ wall, elapsed, sinceBoot }: TimeSources = MACHINE) {
  /** Wall time minus elapsed time. */
  let offsetMs = wall() - elapsed();
  /** Time since boot minus elapsed time, when `offsetMs` was noted. It changes while the machine sleeps. */
  let notedSleepMs = sleepMs();
  /** `firstMs`: when the clock left the earlier time; `sinceMs`: when it was last set. */
  let jumped: Readonly<{ offsetMs: number; firstMs: number; sinceMs: number }> | null = null;
  let accepted = 0;

  function now(): Millis {
    const elapsedMs = elapsed();
    const wallMs = wall();
    const offsetNowMs = wallMs - elapsedMs;
    const changedMs = Math.abs(offsetNowMs - offsetMs);
    if (changedMs <= FOLLOWED_MS || isTrusted(offsetNowMs, elapsedMs)) {
      if (changedMs > SLEPT_MS && changedMs <= FOLLOWED_MS) notedSleepMs = sleepMs();
      offsetMs = offsetNowMs;
      jumped = null;
      return instant(wallMs);
    }
    return instant(Math.floor(elapsedMs + offsetMs));
  }

  /** Null while this clock shows the machine's time. */
  function jump(): Jump | null {
    now();
    if (jumped === null) return null;
    const { sinceMs } = jumped;
    const since = instant(Math.floor(sinceMs + offsetMs));
    const acceptedAt = later(since, acceptedAtMs(jumped) - sinceMs);
    return { byMs: Math.round(jumped.offsetMs - offsetMs), since, acceptedAt };
  }

  function isTrusted(offsetNowMs: number, elapsedMs: number): boolean {
    if (jumped === null || Math.abs(offsetNowMs - jumped.offsetMs) > FOLLOWED_MS) {
      if (hasSlept(offsetNowMs - offsetMs)) return true;
      jumped = { offsetMs: offsetNowMs, firstMs: jumped?.firstMs ?? elapsedMs, sinceMs: elapsedMs };
    }
    if (elapsedMs < acceptedAtMs(jumped)) return false;
    accepted += 1;
    notedSleepMs = sleepMs();
    return true;
  }

  /** Whether the machine slept for this long, so that the clock is right. If so, notes the sleep. */
  function hasSlept(aheadMs: number): boolean {
    const sleptMs = sleepMs();
    if (notedSleepMs === null || sleptMs === null) return false;
    if (Math.abs(sleptMs - notedSleepMs - aheadMs) > FOLLOWED_MS) return false;
    notedSleepMs = sleptMs;
    return true;
  }

  function sleepMs(): number | null {
    const sinceBootMs = sinceBoot();
    return sinceBootMs === null ? null : sinceBootMs - elapsed();
  }

  /** `accepted`: how many jumps have been trusted. */
  return { now, jump, accepted: () => accepted };
}

function acceptedAtMs({ firstMs, sinceMs }: Readonly<{ firstMs: number; sinceMs: number }>): number {
  return Math.min(sinceMs + TRUSTED_AFTER_MS, firstMs + TRUSTED_AT_LATEST_MS);
}

const MACHINE: TimeSources = {
  wall: () => Date.now(),
  elapsed: () => performance.now(),
  sinceBoot: () => {
    // Includes the time in which the machine slept (proc(5), /proc/uptime).
    const seconds = Number.parseFloat(textOrNothing("/proc/uptime"));
    return Number.isNaN(seconds) ? null : seconds * SECOND_MS;
  },
};

/** The machine's wall clock. */
export const systemClock: Clock = { now: () => instant(Date.now()) };
