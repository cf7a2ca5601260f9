import type { Holding } from "../../core/alerts/alerts.ts";
import { type AccountRule, type AlertEvent, SENDING_LIMITED_MS } from "../../core/alerts/rules.ts";
import { plural } from "../../core/text.ts";
import { formatDuration, MINUTE_MS, type Millis } from "../../core/time.ts";
import { TimedConditions } from "./book.ts";

/** Names without an account get the least room. */
const MOST_REFUSED_ACCOUNTS = 50;
const MOST_UNKNOWN = 10;

/** Sign-ins that were refused for one of the rule's reasons, by account. */
export class AccountWindow {
  readonly #rule: AccountRule;
  readonly #known: TimedConditions;
  readonly #unknown: TimedConditions;

  constructor(rule: AccountRule) {
    this.#rule = rule;
    this.#known = new TimedConditions(rule.heldMs, MOST_REFUSED_ACCOUNTS);
    this.#unknown = new TimedConditions(rule.heldMs, MOST_UNKNOWN);
  }

  take({ type, account, reason, at, prefix, isKnownAccount }: AlertEvent): void {
    const { code, counted, reasons } = this.#rule;
    if (type !== "LOGIN_REFUSED" || account === null || account === "" || !reasons.some((one) => one === reason))
      return;
    const detail = `${counted}, the last from ${prefix ?? "?"}`;
    (isKnownAccount ? this.#known : this.#unknown).set({ code, subject: account.toLowerCase(), detail }, at);
  }

  holding(now: Millis): readonly Holding[] {
    return [...this.#known.holding(now), ...this.#unknown.holding(now)];
  }
}

const MOST_SENDERS = 50;

type Held = Readonly<{ mails: number; recipients: number; detail: string }>;

/** Accounts whose mail is held, until their owner vouches for them, and accounts that reached a sending limit. */
export class SendingWindows {
  readonly #held = new Map<string, Held>();
  readonly #limited = new TimedConditions(SENDING_LIMITED_MS, MOST_SENDERS);

  take(event: AlertEvent): void {
    const account = event.account?.toLowerCase() ?? "";
    if (account === "") return;
    switch (event.type) {
      case "EMAIL_HELD":
        this.#hold(account, event);
        return;
      case "EMAIL_DEFERRED":
        if (isLimit(event)) this.#limit(account, event);
        return;
      case "ACCOUNT_RELEASED":
      case "ACCOUNT_REMOVED":
        this.#held.delete(account);
        return;
      default:
    }
  }

  /** A hold that is older than the events that are read. */
  remember({ subject, detail }: Holding): void {
    this.#held.set(subject, { mails: 0, recipients: 0, detail });
  }

  holding(now: Millis): readonly Holding[] {
    const held = [...this.#held].map(([subject, { detail }]) => ({ code: "account_held" as const, subject, detail }));
    return [...held, ...this.#limited.holding(now)];
  }

  #hold(account: string, event: AlertEvent): void {
    const { prefix, recipients } = event;
    const before = this.#held.get(account);
    if (before === undefined && this.#held.size >= MOST_SENDERS) return;
    const mails = (before?.mails ?? 0) + 1;
    const all = (before?.recipients ?? 0) + (recipients ?? 1);
    const what = `${plural(mails, "mail")} to ${plural(all, "recipient")} from ${prefix ?? "?"}`;
    const detail = `${what} ${mails === 1 ? "is" : "are"} held${whyOf(account, event)}`;
    this.#held.set(account, { mails, recipients: all, detail });
  }

  #limit(subject: string, { at, prefix, count, limit, windowMs, reason }: AlertEvent): void {
    const what = reason === "account_mail_limit" ? "mails" : "recipients";
    const detail = `${count ?? "?"} ${what} within ${formatDuration(windowMs ?? 0)}, limit ${limit ?? "?"}, the last from ${prefix ?? "?"}`;
    this.#limited.set({ code: "sending_limited", subject, detail }, at);
  }
}

function whyOf(account: string, { count, limit, windowMs, limitKey }: AlertEvent): string {
  if (count === null || windowMs === null) return "";
  const [within, limited] = [`within ${formatDuration(windowMs)}`, `limit ${limit}`];
  return limitKey === "limits.sending.refused"
    ? `; mail to ${count} people to whom ${account} had never written was refused ${within}, ${limited}`
    : `; ${account} wrote to ${count} people ${within} to whom it had never written, ${limited}`;
}

/** A mail program that was offline sends more than ten mails within a minute: they wait, which is harmless. */
function isLimit({ reason, windowMs }: AlertEvent): boolean {
  return reason === "account_recipient_limit" || (reason === "account_mail_limit" && (windowMs ?? 0) > MINUTE_MS);
}
