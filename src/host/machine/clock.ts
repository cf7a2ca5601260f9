import { instant, later, MINUTE_MS, type Millis, SECOND_MS } from "../../core/time.ts";
import type { Clock } from "../../guard/ports.ts";
import { textOrNothing } from "./read-text.ts";

/** Smaller changes are followed at once, as made by a program that keeps the clock right (chrony, systemd-timesyncd). */
const FOLLOWED_MS = 10 * SECOND_MS;
/** Once the machine's clock has kept its new time for this long, it is trusted. */
const BELIEVED_AFTER_MS = 5 * MINUTE_MS;
/** A clock that keeps moving is trusted this long after it left the former time. */
const BELIEVED_AT_LAST_MS = 15 * MINUTE_MS;
/** A program that keeps the clock right moves it by less; a short sleep moves it by more. */
const SLEPT_MS = SECOND_MS;

/** The machine's clock has been set, and is not trusted yet. */
export type Jump = Readonly<{
  /** Ahead if positive. */
  byMs: number;
  /** By the time before the jump. */
  since: Millis;
  acceptedAt: Millis;
}>;

/** Milliseconds each, from any origin. */
type TimeSources = Readonly<{
  wall: () => number;
  /** Never set; may stop while the machine sleeps. */
  elapsed: () => number;
  /** Advances while the machine sleeps. Null if it cannot be read. Asked only where the other two differ. */
  sinceBoot: () => number | null;
}>;

/**
 * The machine's wall clock without its jumps: a clock that is wrong for a minute must not end bans, sessions and grants,
 * or shift an hour's mails to another day. Until a jump is accepted, time follows the monotonic clock (clock_gettime(2)).
 */
export class SteadyClock implements Clock {
  readonly #sources: TimeSources;
  /** Wall time minus elapsed time. */
  #offsetMs: number;
  /** Time since boot minus elapsed time, when `#offsetMs` was noted: changes while the machine sleeps. */
  #sleptMs: number | null;
  /** `firstMs`: when the clock left the former time; `sinceMs`: when it was set last. */
  #jump: Readonly<{ offsetMs: number; firstMs: number; sinceMs: number }> | null = null;
  #accepted = 0;

  constructor(sources: TimeSources = MACHINE) {
    this.#sources = sources;
    this.#offsetMs = sources.wall() - sources.elapsed();
    this.#sleptMs = this.#slept();
  }

  now(): Millis {
    const elapsedMs = this.#sources.elapsed();
    const wallMs = this.#sources.wall();
    const offsetMs = wallMs - elapsedMs;
    const changedMs = Math.abs(offsetMs - this.#offsetMs);
    if (changedMs <= FOLLOWED_MS || this.#isTrusted(offsetMs, elapsedMs)) {
      if (changedMs > SLEPT_MS && changedMs <= FOLLOWED_MS) this.#sleptMs = this.#slept();
      this.#offsetMs = offsetMs;
      this.#jump = null;
      return instant(wallMs);
    }
    return instant(Math.floor(elapsedMs + this.#offsetMs));
  }

  /** How many jumps have been trusted. */
  get accepted(): number {
    return this.#accepted;
  }

  /** Null while this clock shows the machine's time. */
  jump(): Jump | null {
    this.now();
    if (this.#jump === null) return null;
    const { offsetMs, sinceMs } = this.#jump;
    const since = instant(Math.floor(sinceMs + this.#offsetMs));
    const acceptedAt = later(since, acceptedAtMs(this.#jump) - sinceMs);
    return { byMs: Math.round(offsetMs - this.#offsetMs), since, acceptedAt };
  }

  #isTrusted(offsetMs: number, elapsedMs: number): boolean {
    if (this.#jump === null || Math.abs(offsetMs - this.#jump.offsetMs) > FOLLOWED_MS) {
      if (this.#hasSlept(offsetMs - this.#offsetMs)) return true;
      this.#jump = { offsetMs, firstMs: this.#jump?.firstMs ?? elapsedMs, sinceMs: elapsedMs };
    }
    if (elapsedMs < acceptedAtMs(this.#jump)) return false;
    this.#accepted += 1;
    this.#sleptMs = this.#slept();
    return true;
  }

  /** Whether the machine slept for this long, so that the clock is right: then it is noted. */
  #hasSlept(aheadMs: number): boolean {
    const sleptMs = this.#slept();
    if (this.#sleptMs === null || sleptMs === null) return false;
    if (Math.abs(sleptMs - this.#sleptMs - aheadMs) > FOLLOWED_MS) return false;
    this.#sleptMs = sleptMs;
    return true;
  }

  #slept(): number | null {
    const sinceBootMs = this.#sources.sinceBoot();
    return sinceBootMs === null ? null : sinceBootMs - this.#sources.elapsed();
  }
}

function acceptedAtMs({ firstMs, sinceMs }: Readonly<{ firstMs: number; sinceMs: number }>): number {
  return Math.min(sinceMs + BELIEVED_AFTER_MS, firstMs + BELIEVED_AT_LAST_MS);
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
