import type { Holding } from "../../core/alerts/alerts.ts";
import { type AccountRule, type AlertEvent, SENDING_LIMITED_MS } from "../../core/alerts/rules.ts";
import { formatDuration, MINUTE_MS } from "../../core/time.ts";
import { type AlertWindow, timedConditions } from "./alert-window.ts";

const MOST_REFUSED_ACCOUNTS = 50;

/**
 * Sign-ins that were refused for one of the rule's reasons, by account. Names without an account come from strangers: they share
 * one alert, which does not repeat them.
 */
export function accountWindow({ code, heldMs, counted, reasons }: AccountRule): AlertWindow {
  const refused = timedConditions(heldMs, MOST_REFUSED_ACCOUNTS);
  return {
    take: ({ type, account, reason, at, prefix, isKnownAccount }) => {
      if (type !== "LOGIN_REFUSED" || account === null || account === "" || !reasons.some((one) => one === reason))
        return;
      const detail = `${counted}, the last from ${prefix ?? "?"}`;
      refused.set({ code, subject: isKnownAccount ? account.toLowerCase() : "", detail }, at);
    },
    holding: refused.holding,
  };
}

const MOST_SENDERS = 50;

/** Accounts whose mail is held, until their owner vouches for them, and accounts that reached a sending limit. */
export function sendingWindow(): AlertWindow {
  const held = new Map<string, string>();
  const limited = timedConditions(SENDING_LIMITED_MS, MOST_SENDERS);
  return {
    take: (event) => {
      const account = event.account?.toLowerCase() ?? "";
      if (account === "") return;
      if (event.type === "EMAIL_HELD") {
        if (held.has(account) || held.size < MOST_SENDERS)
          held.set(account, `mail from ${event.prefix ?? "?"} is held${whyOf(account, event)}`);
      } else if (event.type === "EMAIL_DEFERRED" && isLimit(event)) {
        limited.set({ code: "sending_limited", subject: account, detail: limitText(event) }, event.at);
      } else if (event.type === "ACCOUNT_RELEASED" || event.type === "ACCOUNT_REMOVED") held.delete(account);
    },
    remember: ({ code, subject, detail }) => {
      if (code === "account_held") held.set(subject, detail);
    },
    holding: (now) => [
      ...[...held].map(([subject, detail]): Holding => ({ code: "account_held", subject, detail })),
      ...limited.holding(now),
    ],
  };
}

function limitText({ prefix, count, limit, windowMs, reason }: AlertEvent): string {
  const what = reason === "account_mail_limit" ? "mails" : "recipients";
  return `${count ?? "?"} ${what} within ${formatDuration(windowMs ?? 0)}, limit ${limit ?? "?"}, the last from ${prefix ?? "?"}`;
}

function whyOf(account: string, { count, limit, windowMs, limitKey }: AlertEvent): string {
  if (count === null || windowMs === null) return "";
  const [within, limited] = [`within ${formatDuration(windowMs)}`, `limit ${limit}`];
  return limitKey === "limits.sending.refused"
    ? `; mail to ${count} people to whom ${account} had never written was refused ${within}, ${limited}`
    : `; ${account} wrote to ${count} people ${within} to whom it had never written, ${limited}`;
}

/** Excludes the limit of mails within a minute: a mail program that was offline may exceed it, and its mails only wait. */
function isLimit({ reason, windowMs }: AlertEvent): boolean {
  return reason === "account_recipient_limit" || (reason === "account_mail_limit" && (windowMs ?? 0) > MINUTE_MS);
}
