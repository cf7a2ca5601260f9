import { alertKey, type Holding } from "../../core/alerts/alerts.ts";
import { type AccountRule, type AlertEvent, accountRules, SENDING_LIMITED_MS } from "../../core/alerts/rules.ts";
import { formatDuration, MINUTE_MS, type Millis } from "../../core/time.ts";

/** Leaves room among the alerts for everything else. Names without an account get the least. */
const MOST_REFUSED_ACCOUNTS = 50;
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
    return alike.length < (isKnown ? MOST_REFUSED_ACCOUNTS : MOST_UNKNOWN);
  }

  /** So that no entry lasts forever after a clock was set back. */
  #forget(now: Millis): void {
    for (const [key, { rule, at }] of this.#seen) if (Math.abs(now - at) >= rule.heldMs) this.#seen.delete(key);
  }
}

/** Leaves room among the alerts for everything else. */
const MOST_SENDERS = 50;

type Held = Readonly<{ mails: number; recipients: number; detail: string }>;

/** Accounts whose mail is held, until their owner vouches for them, and accounts that reached a sending limit. */
export class SendingWindows {
  readonly #held = new Map<string, Held>();
  readonly #limited = new Map<string, Readonly<{ at: Millis; holding: Holding }>>();

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

  /** A clock that was set back does not make entries last forever. */
  holding(now: Millis): readonly Holding[] {
    for (const [account, { at }] of this.#limited)
      if (Math.abs(now - at) >= SENDING_LIMITED_MS) this.#limited.delete(account);
    const held = [...this.#held].map(([subject, { detail }]) => ({ code: "account_held" as const, subject, detail }));
    return [...held, ...[...this.#limited.values()].map(({ holding }) => holding)];
  }

  #hold(account: string, event: AlertEvent): void {
    const { prefix, recipients } = event;
    const before = this.#held.get(account);
    if (before === undefined && this.#held.size >= MOST_SENDERS) return;
    const mails = (before?.mails ?? 0) + 1;
    const all = (before?.recipients ?? 0) + (recipients ?? 1);
    const what = `${mails === 1 ? "a mail" : `${mails} mails`} to ${all === 1 ? "one recipient" : `${all} recipients`}`;
    this.#held.set(account, { mails, recipients: all, detail: `${what} from ${prefix ?? "?"} held${whyOf(event)}` });
  }

  #limit(subject: string, { at, prefix, count, limit, windowMs, reason }: AlertEvent): void {
    if (!this.#limited.has(subject) && this.#limited.size >= MOST_SENDERS) return;
    const what = reason === "account_mail_limit" ? "mails" : "recipients";
    const detail = `${count ?? "?"} ${what} within ${formatDuration(windowMs ?? 0)}, limit ${limit ?? "?"}, the last from ${prefix ?? "?"}`;
    this.#limited.set(subject, { at, holding: { code: "sending_limited", subject, detail } });
  }
}

function whyOf({ account, count, limit, windowMs, limitKey }: AlertEvent): string {
  if (count === null || windowMs === null) return "";
  const within = `within ${formatDuration(windowMs)}, limit ${limit}`;
  const people = `${count} people to whom ${account?.toLowerCase() ?? "it"} had never written`;
  return limitKey === "limits.sending.refused" ? `; mail to ${people} was refused ${within}` : `; ${people} ${within}`;
}

/** A mail program that was offline sends more than ten mails within a minute: they wait, which is harmless. */
function isLimit({ reason, windowMs }: AlertEvent): boolean {
  return reason === "account_recipient_limit" || (reason === "account_mail_limit" && (windowMs ?? 0) > MINUTE_MS);
}
