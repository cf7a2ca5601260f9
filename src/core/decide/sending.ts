import type { DataCommand } from "../events/mail.ts";
import { prefixOf } from "../net/ip.ts";
import { DAY_MS, instant, later, type Millis } from "../time.ts";
import { type Decision, decision, type Evidence, uncounted } from "./decision.ts";
import type { Facts, RecipientCounts, SendingFacts, SentMail } from "./facts.ts";
import type { Policy } from "./policy.ts";
import { exceeded } from "./windows.ts";

type AccountMail = DataCommand & Readonly<{ account: string }>;
type Sent = Pick<SendingFacts, "mails" | "vouchedAt">;
type FromPlace = Sent & Pick<SendingFacts, "isNewPlace">;

/** How long after its first sign-in a place is new to an account. */
const NEW_FOR_MS = DAY_MS;
/** For mail from a new place, `limits.sending.strangers` and `strangers_per_day` are divided by this. */
const NEW_PLACE_PART = 5;
/** A hold needs one refusal for this many strangers: an honest list has a few addresses that no longer exist, a thief's has many. */
const REFUSED_PART = 4;
/** Maximum refusals that count for one recipient domain, because an enemy of the account may own that domain. */
export const REFUSALS_OF_DOMAIN = 2;

/** Maximum held mails of an account: they don't expire, and each may be as large as `limits.mail.max_size`. */
const MOST_HELD_MAILS = 200;

/**
 * Decides on a recipient of an account's mail. Past a limit each further recipient is deferred, so that a mail to many does not reach all
 * of them. A mail that will be held is accepted for all its recipients.
 */
export function decideAccountRecipient(policy: Policy, { sending }: Facts, now: Millis): Decision {
  const passed = uncounted("pass", "below_limit");
  if (sending.holdEvidence !== null) return passed;
  const mail = withOneMore(sending.mail, sending.recipient);
  if (signOfThief(policy, sending, mail, now) !== null) return passed;
  const evidence = tooManyRecipients(policy, sending, mail, now);
  return evidence === null ? passed : uncounted("defer", "account_recipient_limit", { evidence });
}

/**
 * DATA: all recipients are known. A hold is decided here, and again at the end of the mail, which notes the held mail (`decideHeldMail`
 * in mail.ts). Held mail counts too, and has its own limit, so that no account fills the disk with it.
 */
export function decideAccountMail(policy: Policy, { sending }: Facts, mail: AccountMail, now: Millis): Decision {
  const { account, ip } = mail;
  const times = sending.mails.map(({ at }) => at);
  const tooMany = exceeded(policy.mail, times, now);
  if (tooMany !== null) return uncounted("defer", "account_mail_limit", { evidence: tooMany });
  if (sending.holdEvidence !== null) {
    const count = sending.heldMails;
    if (count < MOST_HELD_MAILS) return decision("hold", "account_held", { evidence: sending.holdEvidence });
    const full = { count, limit: MOST_HELD_MAILS, windowMs: 0, key: null };
    return uncounted("defer", "account_hold_full", { evidence: full });
  }
  const strange = signOfThief(policy, sending, sending.mail, now);
  if (strange !== null)
    return decision("hold", "account_held", {
      evidence: strange,
      changes: [{ type: "HOLD_ACCOUNT", account, prefix: prefixOf(ip, policy.bans.ipv6Prefix), ip, evidence: strange }],
    });
  const evidence = tooManyRecipients(policy, sending, sending.mail, now);
  return evidence === null
    ? decision("pass", "below_limit")
    : uncounted("defer", "account_recipient_limit", { evidence });
}

/**
 * Returns the limit that forwarded copies of a mail exceed, or null, for forwards that someone other than root set. To those set more than
 * a day ago (`isNew` false) only the recipient limits apply. Copies count with what the account sends. Anyone who writes to the account
 * can cause copies, so they never hold what the account itself sends.
 */
export function tooMuchForwarded(
  policy: Policy,
  { isNew, ...sending }: Sent & Pick<SendingFacts, "holdEvidence"> & Readonly<{ isNew: boolean }>,
  copies: RecipientCounts,
  now: Millis,
): Evidence | null {
  if (!isNew) return tooManyRecipients(policy, sending, copies, now);
  const fromAnywhere = { ...sending, isNewPlace: () => false };
  return (
    sending.holdEvidence ??
    tooManyStrangers(policy, fromAnywhere, copies, now) ??
    tooManyRecipients(policy, sending, copies, now)
  );
}

export function withOneMore(mail: RecipientCounts, recipient: SendingFacts["recipient"]): RecipientCounts {
  return {
    recipients: mail.recipients + 1,
    written: mail.written + (recipient === "written" ? 1 : 0),
    strangers: mail.strangers + (recipient === "stranger" ? 1 : 0),
  };
}

/** Returns why the mail will be held; null if nothing points to a thief, as for mail to people to whom the account has written. */
function signOfThief(policy: Policy, sending: SendingFacts, mail: RecipientCounts, now: Millis): Evidence | null {
  if (mail.strangers === 0) return null;
  return tooManyStrangers(policy, sending, mail, now) ?? tooManyRefused(policy, sending, mail, now);
}

/** A thief writes to people to whom the account never wrote: many within an hour, or a few every hour for days. */
function tooManyStrangers(policy: Policy, sending: FromPlace, mail: RecipientCounts, now: Millis): Evidence | null {
  for (const { count: most, windowMs, key } of policy.sending.strangers) {
    const since = Math.max(now - windowMs, sending.vouchedAt);
    const count = mail.strangers + sumSince(sending.mails, since, ({ strangers }) => strangers);
    const fewest = Math.ceil(most / NEW_PLACE_PART);
    if (count <= fewest) continue;
    const limit = sending.isNewPlace(later(now, -NEW_FOR_MS)) ? fewest : most;
    if (count > limit) return { count, limit, windowMs, key };
  }
  return null;
}

/** A thief's list is old: many of its addresses do not exist. Also applies in places that the account knows. */
function tooManyRefused(policy: Policy, sending: SendingFacts, mail: RecipientCounts, now: Millis): Evidence | null {
  const { count: limit, windowMs, key } = policy.sending.refused;
  const since = instant(Math.max(now - windowMs, sending.vouchedAt));
  const strangers = mail.strangers + sumSince(sending.mails, since, (one) => one.strangers);
  // Few accounts exceed this limit, so refusals are seldom looked up.
  if (strangers <= limit) return null;
  const count = sending.refused(since);
  return count > limit && count * REFUSED_PART >= strangers ? { count, limit, windowMs, key } : null;
}

/** Mail from before the owner vouched for the account no longer counts, because a thief's mail must not keep the account's user waiting. */
function tooManyRecipients(policy: Policy, sending: Sent, mail: RecipientCounts, now: Millis): Evidence | null {
  const { burst, recipients } = policy.sending;
  for (const limit of [burst, ...recipients]) {
    const { count: most, windowMs, key } = limit;
    const kind = limit === burst ? "strangers" : "recipients";
    const since = Math.max(now - windowMs, sending.vouchedAt);
    const count = mail[kind] + sumSince(sending.mails, since, (one) => one[kind]);
    if (mail[kind] > 0 && count > most) return { count, limit: most, windowMs, key };
  }
  return null;
}

/** Sums the mails after this moment. Times ascend, so it starts with the newest. */
function sumSince(mails: readonly SentMail[], since: number, counted: (mail: SentMail) => number): number {
  let sum = 0;
  for (let i = mails.length - 1; i >= 0; i--) {
    const mail = mails[i];
    if (mail === undefined || mail.at <= since) break;
    sum += counted(mail);
  }
  return sum;
}
