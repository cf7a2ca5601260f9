import type { Holding } from "../../core/alerts/alerts.ts";
import { type AlertEvent, type EventRule, eventRules, type Thresholds } from "../../core/alerts/rules.ts";
import { BoundedMap } from "../../core/bounded-map.ts";
import { formatDuration, type Millis } from "../../core/time.ts";
import { AccountWindows, SendingWindows } from "./account-windows.ts";
import { FactorWindows, PasskeyWindows, SettingsWindow, TokenWindows, WebAccountWindows } from "./change-windows.ts";
import { Guesses, Hits } from "./guess-windows.ts";
import type { Alert } from "./ports.ts";

const MOST_NAMED = 3;

type Seen = Readonly<{ at: Millis; name: string }>;

/**
 * Counts recent events. The result depends only on committed events, so reading them again after a restart gives the
 * same. Bounded: each rule remembers no more than its threshold.
 */
export class AlertWindows {
  readonly #rules: readonly RuleWindow[];
  readonly #accounts = new AccountWindows();
  readonly #sending = new SendingWindows();
  readonly #settings = new SettingsWindow();
  readonly #tokens = new TokenWindows();
  readonly #passkeys = new PasskeyWindows();
  readonly #webAccounts = new WebAccountWindows();
  readonly #factors = new FactorWindows();
  readonly #guesses: Guesses;
  readonly #hits = new Hits();

  constructor(thresholds: Thresholds) {
    this.#rules = eventRules.map((rule) => new RuleWindow(rule, thresholds[rule.code]));
    this.#guesses = new Guesses(thresholds.password_guessed);
  }

  /** Events in the order of their ids. */
  take(event: AlertEvent): void {
    for (const rule of this.#rules) rule.take(event);
    this.#accounts.take(event);
    this.#sending.take(event);
    this.#tokens.take(event);
    this.#passkeys.take(event);
    this.#webAccounts.take(event);
    this.#factors.take(event);
    this.#settings.take(event);
    this.#guesses.take(event);
    this.#hits.take(event);
  }

  /** Adds guessed passwords and held accounts that were known before the events that were read. */
  remember(open: readonly Alert[]): void {
    for (const { code, subject, detail, openedAt } of open) {
      if (code === "password_guessed") this.#guesses.remember({ code, subject, detail }, openedAt);
      if (code === "account_held") this.#sending.remember({ code, subject, detail });
    }
  }

  holding(now: Millis): readonly Holding[] {
    const rules = this.#rules.map((rule) => rule.holding(now)).filter((one) => one !== null);
    return [
      ...rules,
      ...this.#accounts.holding(now),
      ...this.#sending.holding(now),
      ...this.#tokens.holding(now),
      ...this.#passkeys.holding(now),
      ...this.#webAccounts.holding(now),
      ...this.#factors.holding(now),
      ...this.#settings.holding(now),
      ...this.#guesses.holding(now),
      ...this.#hits.holding(now),
    ];
  }
}

class RuleWindow {
  readonly #rule: EventRule;
  readonly #threshold: number;
  /** Ascending by time: an entry that is seen again moves to the end. */
  readonly #seen: BoundedMap<string | number, Seen>;

  constructor(rule: EventRule, threshold: number) {
    this.#rule = rule;
    this.#threshold = threshold;
    this.#seen = new BoundedMap(threshold);
  }

  take(event: AlertEvent): void {
    if (!this.#rule.matches(event)) return;
    const name = event.prefix ?? event.account ?? "";
    this.#seen.set(this.#rule.distinct ? name : event.id, { at: event.at, name });
  }

  holding(now: Millis): Holding | null {
    const { code, windowMs, counted } = this.#rule;
    for (const [key, { at }] of this.#seen) {
      if (at > now - windowMs) break;
      this.#seen.delete(key);
    }
    if (this.#seen.size < this.#threshold) return null;
    const named = mostFrequent([...this.#seen].map(([, { name }]) => name));
    const from = named.length === 0 ? "" : `, from ${named.join(", ")}${this.#rule.distinct ? " and others" : ""}`;
    return {
      code,
      subject: "",
      detail: `${this.#threshold} or more ${counted} within ${formatDuration(windowMs)}${from}`,
    };
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
