import { alertKey, type Holding } from "../../core/alerts/alerts.ts";
import { type AccountRule, type AlertEvent, accountRules } from "../../core/alerts/rules.ts";
import type { Millis } from "../../core/time.ts";

/** Leaves room among the alerts for everything else. Names without an account get the least. */
const MOST_ACCOUNTS = 50;
const MOST_UNKNOWN = 10;

type Seen = Readonly<{ rule: AccountRule; at: Millis; isKnown: boolean; holding: Holding }>;

/** Recent events, counted per account. Earlier accounts stay, so that alerts do not come and go. */
export class AccountWindows {
  readonly #seen = new Map<string, Seen>();

  take(event: AlertEvent): void {
    const { type, account, reason, at, isKnownAccount: isKnown } = event;
    if (type !== "LOGIN_REFUSED" || account === null || account === "") return;
    const subject = account.toLowerCase();
    for (const rule of accountRules) {
      if (!rule.reasons.some((code) => code === reason)) continue;
      const { code, counted } = rule;
      const key = alertKey({ code, subject });
      if (!this.#seen.has(key) && !this.#hasRoom(rule, isKnown, at)) continue;
      const detail = `${counted}, the last from ${event.prefix ?? "?"}`;
      this.#seen.set(key, { rule, at, isKnown, holding: { code, subject, detail } });
    }
  }

  holding(now: Millis): readonly Holding[] {
    this.#forget(now);
    return [...this.#seen.values()].map(({ holding }) => holding);
  }

  #hasRoom(rule: AccountRule, isKnown: boolean, now: Millis): boolean {
    this.#forget(now);
    const alike = [...this.#seen.values()].filter((one) => one.rule === rule && one.isKnown === isKnown);
    return alike.length < (isKnown ? MOST_ACCOUNTS : MOST_UNKNOWN);
  }

  /** So that no entry lasts forever after a clock was set back. */
  #forget(now: Millis): void {
    for (const [key, { rule, at }] of this.#seen) if (Math.abs(now - at) >= rule.heldMs) this.#seen.delete(key);
  }
}
