import {
  type AlertEvent,
  type EventRule,
  eventRules,
  GUESSED_FOR_MS,
  GUESSING_WINDOW_MS,
  SPREAD_FACTOR,
  type Thresholds,
} from "../core/alert-rules.ts";
import type { Holding } from "../core/alerts.ts";
import { formatDuration, type Millis } from "../core/time.ts";
import { AccountWindows } from "./account-windows.ts";
import type { Alert } from "./alert-ports.ts";

/** Accounts of which wrong passwords are remembered; the longest untouched one goes first. */
const MOST_ACCOUNTS = 2_000;
const MOST_NAMED = 3;

type Seen = Readonly<{ at: Millis; name: string }>;

/**
 * What the events of late amount to. It depends on the committed events alone: read again after a restart they come
 * to the same. Bounded: of each rule no more is remembered than its threshold.
 */
export class AlertWindows {
  readonly #rules: readonly RuleWindow[];
  readonly #accounts = new AccountWindows();
  readonly #guesses: Guesses;

  constructor(thresholds: Thresholds) {
    this.#rules = eventRules.map((rule) => new RuleWindow(rule, thresholds[rule.code]));
    this.#guesses = new Guesses(thresholds.password_guessed);
  }

  /** Events in the order of their ids. */
  take(event: AlertEvent): void {
    for (const rule of this.#rules) rule.take(event);
    this.#accounts.take(event);
    this.#guesses.take(event);
  }

  /** Guessed passwords that were known before the events that it has read. */
  remember(guessed: readonly Alert[]): void {
    for (const { code, subject, detail, openedAt } of guessed)
      if (code === "password_guessed") this.#guesses.remember({ code, subject, detail }, openedAt);
  }

  holding(now: Millis): readonly Holding[] {
    const rules = this.#rules.map((rule) => rule.holding(now)).filter((one) => one !== null);
    return [...rules, ...this.#accounts.holding(now), ...this.#guesses.holding(now)];
  }
}

class RuleWindow {
  readonly #rule: EventRule;
  readonly #threshold: number;
  /** Ascending by time: what is seen again moves to the end. */
  readonly #seen = new Map<string | number, Seen>();

  constructor(rule: EventRule, threshold: number) {
    this.#rule = rule;
    this.#threshold = threshold;
  }

  take(event: AlertEvent): void {
    if (!this.#rule.matches(event)) return;
    const name = event.prefix ?? event.account ?? "";
    const key = this.#rule.distinct ? name : event.id;
    this.#seen.delete(key);
    this.#seen.set(key, { at: event.at, name });
    if (this.#seen.size > this.#threshold) this.#dropFirst();
  }

  holding(now: Millis): Holding | null {
    const { code, windowMs, counted } = this.#rule;
    for (const { at } of this.#seen.values()) {
      if (at > now - windowMs) break;
      this.#dropFirst();
    }
    if (this.#seen.size < this.#threshold) return null;
    const named = mostFrequent([...this.#seen.values()].map(({ name }) => name));
    const from = named.length === 0 ? "" : `, from ${named.join(", ")}${this.#rule.distinct ? " and others" : ""}`;
    return {
      code,
      subject: "",
      detail: `${this.#threshold} or more ${counted} within ${formatDuration(windowMs)}${from}`,
    };
  }

  #dropFirst(): void {
    const [first] = this.#seen.keys();
    if (first !== undefined) this.#seen.delete(first);
  }
}

function mostFrequent(names: readonly string[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const name of names) if (name !== "") counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts]
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, MOST_NAMED)
    .map(([name]) => name);
}

/**
 * A right password after different wrong ones for the same account, from where it never signed in before: from where a
 * wrong one came too, or after very many from wherever. Where it did sign in before, its owner mistypes: only very many
 * from just there are told.
 */
class Guesses {
  readonly #found = new Map<string, Readonly<{ at: Millis; holding: Holding }>>();
  readonly #threshold: number;
  readonly #failures = new Map<string, readonly AlertEvent[]>();

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
        // `NAME by WHOM` (record.ts).
        this.#settle(event.details.split(" ")[0] ?? "");
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
    const others = (this.#failures.get(account) ?? []).filter(
      ({ proof, prefix }) => proof !== event.proof || prefix !== event.prefix,
    );
    this.#failures.delete(account);
    this.#failures.set(account, [...others, event].slice(-SPREAD_FACTOR * this.#threshold));
    if (this.#failures.size <= MOST_ACCOUNTS) return;
    const [first] = this.#failures.keys();
    if (first !== undefined) this.#failures.delete(first);
  }

  #succeeded(account: string, { at, prefix, isNewPlace }: AlertEvent): void {
    const failures = (this.#failures.get(account) ?? []).filter((one) => one.at > at - GUESSING_WINDOW_MS);
    const proofs = new Set(failures.map(({ proof }) => proof));
    if (proofs.size < this.#threshold) return;
    const many = SPREAD_FACTOR * this.#threshold;
    const fromHere = failures.filter((one) => one.prefix === prefix).length;
    const isGuessed = isNewPlace ? fromHere > 0 || failures.length >= many : fromHere >= many;
    if (!isGuessed) return;
    const detail = `${account} signed in from ${prefix ?? "?"} after ${proofs.size} different wrong passwords within ${formatDuration(GUESSING_WINDOW_MS)}`;
    this.remember({ code: "password_guessed", subject: account, detail }, at);
    this.#failures.delete(account);
  }

  #settle(account: string): void {
    this.#found.delete(account.toLowerCase());
    this.#failures.delete(account.toLowerCase());
  }
}
