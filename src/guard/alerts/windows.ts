import type { AlertCode, Holding } from "../../core/alerts/alerts.ts";
import {
  type AlertEvent,
  accountRules,
  type EventRule,
  eventRules,
  LONGEST_WINDOW_MS,
  type Thresholds,
} from "../../core/alerts/rules.ts";
import { BoundedMap } from "../../core/bounded-map.ts";
import { withoutExtension } from "../../core/net/address.ts";
import { formatDuration, type Millis } from "../../core/time.ts";
import { AccountWindow, SendingWindows } from "./account-windows.ts";
import { TimedConditions } from "./book.ts";
import { ChangeWindows, FactorWindows } from "./change-windows.ts";
import { Guesses, Hits } from "./guess-windows.ts";
import type { Alert } from "./ports.ts";

const MOST_NAMED = 3;
/** Addresses with an alert each. All further ones share one, to leave room for others. */
const MOST_ADDRESSES = 20;

/** Signs of a theft that last a day, and that no later event ends. */
const LASTING: readonly AlertCode[] = [
  "web_new_network",
  "web_overreach",
  "passkey_copied",
  "password_without_code",
  "second_factor_guessed",
];

type Seen = Readonly<{ at: Millis; name: string }>;

/** Takes each event, and says which conditions its events make true now. */
type Window = Readonly<{ take(event: AlertEvent): void; holding(now: Millis): readonly Holding[] }>;

/**
 * Counts recent events. The result depends only on committed events, so reading them again after a restart gives the
 * same. Bounded: each rule remembers no more than its threshold.
 */
export class AlertWindows {
  readonly #sending = new SendingWindows();
  readonly #guesses: Guesses;
  readonly #hits = new Hits();
  readonly #changes = new TimedConditions(LONGEST_WINDOW_MS);
  readonly #all: readonly Window[];

  /** `mailedTo`: the addresses that get alerts. */
  constructor(thresholds: Thresholds, mailedTo: readonly string[] = []) {
    this.#guesses = new Guesses(thresholds.password_guessed);
    this.#all = [
      ...eventRules.map((rule) => new RuleWindow(rule, thresholds[rule.code])),
      new LostMail(mailedTo),
      ...accountRules.map((rule) => new AccountWindow(rule)),
      this.#sending,
      new ChangeWindows(),
      new FactorWindows(),
      this.#guesses,
      this.#hits,
    ];
  }

  /** Events in the order of their ids. */
  take(event: AlertEvent): void {
    for (const window of this.#all) window.take(event);
  }

  /** Adds what was known before the events that are read: in a flood, those of a day are more than are read. */
  remember(open: readonly Alert[]): void {
    for (const { code, subject, detail, openedAt } of open) {
      if (code === "password_guessed") this.#guesses.remember({ code, subject, detail }, openedAt);
      if (code === "login_after_guesses") this.#hits.remember({ code, subject, detail }, openedAt);
      if (LASTING.includes(code)) this.#changes.set({ code, subject, detail }, openedAt);
      if (code === "account_held") this.#sending.remember({ code, subject, detail });
    }
  }

  holding(now: Millis): readonly Holding[] {
    // The windows last: they have the latest details.
    return [...this.#changes.holding(now), ...this.#all.flatMap((window) => window.holding(now))];
  }
}

class RuleWindow implements Window {
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
    this.#seen.set(this.#rule.distinct === true ? name : event.id, { at: event.at, name });
  }

  holding(now: Millis): readonly Holding[] {
    const { code, windowMs, counted } = this.#rule;
    for (const [key, { at }] of this.#seen) {
      if (at > now - windowMs) break;
      this.#seen.delete(key);
    }
    if (this.#seen.size < this.#threshold) return [];
    const named = mostFrequent([...this.#seen].map(([, { name }]) => name));
    const from =
      named.length === 0 ? "" : `, from ${named.join(", ")}${this.#rule.distinct === true ? " and others" : ""}`;
    const detail = `${this.#threshold} or more ${counted} within ${formatDuration(windowMs)}${from}`;
    return [{ code, subject: "", detail }];
  }
}

const REFUSED = {
  alerts: "alerts go there, and it refused mail for good",
  others: "a delivery was refused for good",
} as const;

/**
 * Mail that was accepted here and is lost, or refused by an address that gets alerts: it may refuse these too. Each address has its own
 * alert: one that loses mail every day hides no other.
 */
class LostMail implements Window {
  readonly #mailedTo: readonly string[];
  readonly #found = new TimedConditions(LONGEST_WINDOW_MS);

  constructor(mailedTo: readonly string[]) {
    this.#mailedTo = mailedTo.map((address) => address.toLowerCase());
  }

  take({ type, verdict, subject, at }: AlertEvent): void {
    const ofAlerts = this.#mailedTo.includes((subject ?? "").toLowerCase());
    const isRefused = type === "EMAIL_BOUNCED" && (verdict === "lose" || ofAlerts);
    if (!isRefused && type !== "BOUNCE_WITHHELD") return;
    const all = this.#found.holding(at).map((one) => one.subject);
    const of = withoutExtension(subject ?? "").toLowerCase();
    const hasRoom = all.includes(of) || all.length < MOST_ADDRESSES;
    const detail = isRefused ? REFUSED[ofAlerts ? "alerts" : "others"] : "a report about mail was withheld";
    this.#found.set({ code: "mail_undelivered", subject: hasRoom ? of : "further addresses", detail }, at);
  }

  holding(now: Millis): readonly Holding[] {
    return this.#found.holding(now);
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
