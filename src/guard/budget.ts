import { BoundedMap } from "../core/bounded-map.ts";
import { countWithin } from "../core/decide/windows.ts";
import type { Prefix } from "../core/net/ip.ts";
import type { Millis } from "../core/time.ts";
import { LIMITS } from "./limits.ts";

/** A bounded number within a sliding window. Its memory is bounded by the limit. */
export class Budget {
  readonly #most: number;
  readonly #windowMs: number;
  #spent: Millis[] = [];

  constructor(most: number, windowMs: number) {
    this.#most = most;
    this.#windowMs = windowMs;
  }

  isLeft(now: Millis, many = 1): boolean {
    return many <= this.left(now);
  }

  /** How many are left. If the clock was set back, later entries are forgotten. */
  left(now: Millis): number {
    if ((this.#spent.at(-1) ?? now) > now) this.#spent = this.#spent.filter((at) => at <= now);
    return this.#most - countWithin(this.#spent, this.#windowMs, now);
  }

  spend(now: Millis, many = 1): boolean {
    if (!this.isLeft(now, many)) return false;
    for (let i = 0; i < many; i++) this.#spent.push(now);
    if (this.#spent.length > 2 * this.#most) this.#spent = this.#spent.slice(-this.#most);
    return true;
  }
}

/** A bounded number within a window for each address, or each account. Remembers the latest ones. */
export class Budgets<K extends string = Prefix> {
  readonly #most: number;
  readonly #windowMs: number;
  readonly #spent = new BoundedMap<K, { readonly since: Millis; count: number }>(LIMITS.cachedAddresses);

  constructor(most: number, windowMs: number) {
    this.#most = most;
    this.#windowMs = windowMs;
  }

  spend(from: K, now: Millis): boolean {
    const known = this.#spent.get(from);
    const isOver = known === undefined || now < known.since || now - known.since >= this.#windowMs;
    const share = isOver ? { since: now, count: 0 } : known;
    this.#spent.set(from, share);
    if (share.count >= this.#most) return false;
    share.count++;
    return true;
  }
}
