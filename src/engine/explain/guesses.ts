import type { Holding } from "../../core/alerts/alerts.ts";
import { type AlertEvent, GUESSED_FOR_MS, GUESSING_WINDOW_MS, SPREAD_FACTOR } from "../../core/alerts/rules.ts";
import { BoundedMap } from "../../core/bounded-map.ts";
import { formatDuration, type Millis } from "../../core/time.ts";

/** Accounts of which wrong passwords are remembered, those that have signed in at all and others; the longest untouched one goes first. */
const MOST_KNOWN = 10_000;
const MOST_OTHERS = 2_000;

/**
 * A right password after different wrong ones for the same account, from where it never signed in before: from where a
 * wrong one came too, or after very many from wherever. Where it did sign in before, its owner mistypes: only very many
 * from just there are told.
 */
export class Guesses {
  readonly #found = new Map<string, Readonly<{ at: Millis; holding: Holding }>>();
  readonly #threshold: number;
  /** Apart, so that a flood of names that nobody has makes no guesses at an account forgotten. */
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

  /** A day long: the owner was told, and may know that all is well. A clock that was set back makes nothing last. */
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

  /** Those before an account's first sign-in lie among the others. */
  #failuresOf(account: string): readonly AlertEvent[] {
    return this.#ofKnown.get(account) ?? this.#ofOthers.get(account) ?? [];
  }

  #forget(account: string): void {
    this.#ofKnown.delete(account);
    this.#ofOthers.delete(account);
  }

  #succeeded(account: string, { at, prefix, isNewPlace }: AlertEvent): void {
    const failures = told(this.#failuresOf(account).filter((one) => one.at > at - GUESSING_WINDOW_MS));
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

/** What only a log told has no proof: beside one that is known it may be the same password, and counts for nothing. */
function told(failures: readonly AlertEvent[]): readonly AlertEvent[] {
  const proven = failures.filter(({ proof }) => proof !== null);
  return proven.length === 0 ? failures : proven;
}
