import type { Millis } from "../../core/time.ts";

/**
 * When different things happened within a window, exactly: each counts once, when it first happened. In memory; past
 * `most`, the oldest is forgotten.
 */
export class DistinctTimes {
  readonly #windowMs: number;
  readonly #most: number;
  /** Ascending by time. */
  readonly #at = new Map<string, Millis>();
  #times: readonly Millis[] | null = null;

  constructor(windowMs: number, most: number) {
    this.#windowMs = windowMs;
    this.#most = most;
  }

  add(key: string, now: Millis): void {
    this.#prune(now);
    if (this.#at.has(key)) return;
    if (this.#at.size >= this.#most) this.#dropOldest();
    this.#at.set(key, now);
    this.#times = null;
  }

  has(key: string, now: Millis): boolean {
    this.#prune(now);
    return this.#at.has(key);
  }

  times(now: Millis): readonly Millis[] {
    this.#prune(now);
    this.#times ??= [...this.#at.values()];
    return this.#times;
  }

  clear(): void {
    this.#at.clear();
    this.#times = null;
  }

  #prune(now: Millis): void {
    for (const at of this.#at.values()) {
      if (at > now - this.#windowMs) return;
      this.#dropOldest();
    }
  }

  #dropOldest(): void {
    const oldest = this.#at.keys().next();
    if (oldest.done !== true) this.#at.delete(oldest.value);
    this.#times = null;
  }
}
