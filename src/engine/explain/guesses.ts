import type { Holding } from "../../core/alerts/alerts.ts";
import { type AlertEvent, GUESSED_FOR_MS, GUESSING_WINDOW_MS, SPREAD_FACTOR } from "../../core/alerts/rules.ts";
import { BoundedMap } from "../../core/bounded-map.ts";
import { formatDuration, type Millis } from "../../core/time.ts";

/**
 * Accounts whose wrong passwords are remembered, separately for those that have signed in and others. The least
 * recently used one is dropped.
 */
const MOST_KNOWN = 10_000;
const MOST_OTHERS = 2_000;

/**
 * Finds a right password after different wrong ones for the same account, from an address where it never signed in
 * before: after wrong ones from there, or after very many from anywhere. At a known address the owner may mistype: only
 * very many from there count.
 */
export class Guesses {
  readonly #found = new Map<string, Readonly<{ at: Millis; holding: Holding }>>();
  readonly #threshold: number;
  /** Separate, so that a flood of unknown names does not displace guesses at real accounts. */
  readonly #ofKnown = new BoundedMap<string, readonly AlertEvent[]>(MOST_KNOWN);
  readonly #ofOthers = new BoundedMap<string, readonly AlertEvent[]>(MOST_OTHERS);

  constructor(threshold: number) {
    this.#threshold = threshold;
  }

  take(event: AlertEvent): void {
    const account = event.account?.toLowerCase() ?? "";
    switch (event.type) {
      case "LOGIN_FAILED":
        if (account !== "") this.#failed(account, event);
        return;
      case "LOGIN_SUCCEEDED":
        this.#succeeded(account, event);
        return;
      case "PASSWORD_CHANGED":
      case "ACCOUNT_SUSPENDED":
      case "ACCOUNT_REMOVED":
        this.#settle(account);
        return;
      default:
    }
  }

  remember(holding: Holding, at: Millis): void {
    this.#found.set(holding.subject, { at, holding });
  }

  /** Holds for a day: the owner got an alert, and may know that it was legitimate. If the clock was set back, nothing holds. */
  holding(now: Millis): readonly Holding[] {
    for (const [account, { at }] of this.#found) if (Math.abs(now - at) >= GUESSED_FOR_MS) this.#found.delete(account);
    return [...this.#found.values()].map(({ holding }) => holding);
  }

  #failed(account: string, event: AlertEvent): void {
    const others = this.#failuresOf(account).filter(
      ({ proof, prefix }) => proof !== event.proof || prefix !== event.prefix,
    );
    this.#forget(account);
    const all = event.isKnownAccount ? this.#ofKnown : this.#ofOthers;
    all.set(account, [...others, event].slice(-SPREAD_FACTOR * this.#threshold));
  }

  /** Failures before an account's first sign-in are stored with the others. */
  #failuresOf(account: string): readonly AlertEvent[] {
    return this.#ofKnown.get(account) ?? this.#ofOthers.get(account) ?? [];
  }

  #forget(account: string): void {
    this.#ofKnown.delete(account);
    this.#ofOthers.delete(account);
  }

  #succeeded(account: string, { at, prefix, isNewPlace }: AlertEvent): void {
    const failures = countable(this.#failuresOf(account).filter((one) => one.at > at - GUESSING_WINDOW_MS));
    const proofs = new Set(failures.map(({ proof }) => proof));
    if (proofs.size < this.#threshold) return;
    const many = SPREAD_FACTOR * this.#threshold;
    const fromHere = failures.filter((one) => one.prefix === prefix).length;
    const isGuessed = isNewPlace ? fromHere > 0 || failures.length >= many : fromHere >= many;
    if (!isGuessed) return;
    const detail = `${account} signed in from ${prefix ?? "?"} after ${proofs.size} different wrong passwords within ${formatDuration(GUESSING_WINDOW_MS)}`;
    this.remember({ code: "password_guessed", subject: account, detail }, at);
    this.#forget(account);
  }

  #settle(account: string): void {
    this.#found.delete(account);
    this.#forget(account);
  }
}

/** A failure from a log has no password hash. It may be the same password as a known one, so it does not count. */
function countable(failures: readonly AlertEvent[]): readonly AlertEvent[] {
  const proven = failures.filter(({ proof }) => proof !== null);
  return proven.length === 0 ? failures : proven;
}
