import type { Millis } from "../../core/time.ts";

/**
 * When different items occurred within a window, exactly: each counts once, at its first time. In memory; past
 * `most`, the oldest is forgotten.
 */
export class DistinctTimes {
  readonly #windowMs: number;
  readonly #most: number;
  /** Ascending by time, and only the times: a flood must not copy them for each event. */
  readonly #at = new Map<string, Millis>();
  readonly #times: Millis[] = [];

  constructor(windowMs: number, most: number) {
    this.#windowMs = windowMs;
    this.#most = most;
  }

  add(key: string, now: Millis): void {
    this.#prune(now);
    if (this.#at.has(key)) return;
    if (this.#at.size >= this.#most) this.#dropOldest();
    this.#at.set(key, now);
    this.#times.push(now);
  }

  has(key: string, now: Millis): boolean {
    this.#prune(now);
    return this.#at.has(key);
  }

  /** Ascending; valid until the next event. */
  times(now: Millis): readonly Millis[] {
    this.#prune(now);
    return this.#times;
  }

  clear(): void {
    this.#at.clear();
    this.#times.length = 0;
  }

  #prune(now: Millis): void {
    for (let at = this.#times[0]; at !== undefined && at <= now - this.#windowMs; at = this.#times[0])
      this.#dropOldest();
  }

  #dropOldest(): void {
    const oldest = this.#at.keys().next();
    if (oldest.done !== true) this.#at.delete(oldest.value);
    this.#times.shift();
  }
}
