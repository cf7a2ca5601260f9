import {
  type DataCommand,
  type EndOfMessage,
  type Excess,
  isBounce,
  type MailAttributes,
  type Recipient,
} from "../events/mail.ts";
import { domainOf } from "../net/address.ts";
import type { Millis } from "../time.ts";
import { nextBan, refuseAndBan } from "./ban-ladder.ts";
import { decideFirstContact, decideProbingFromAnywhere, markFirstContact } from "./crowd.ts";
import { type Decision, decision, uncounted } from "./decision.ts";
import { type Facts, isShared } from "./facts.ts";
import { isProvider, type Policy } from "./policy.ts";
import { decideAccountMail, decideAccountRecipient } from "./sending.ts";
import { exceeded } from "./windows.ts";

/** RFC 5321, 4.5.3.1: a path of 256 octets, with a local part that SMTPUTF8 may make longer. */
const LONGEST_ADDRESS = 320;

/** RCPT TO: the last moment at which one of several recipients can be refused. */
export function decideRecipient(policy: Policy, facts: Facts, event: Recipient, now: Millis): Decision {
  const settled =
    decideBanOrProtection(facts, event.account) ?? decideInactive(facts) ?? decideOwnSender(policy, facts, event);
  if (settled !== null) return settled;
  if (event.account !== null) return decideAccountRecipient(policy, facts, now);
  // Not recorded, because one address could otherwise push out months of recorded events without sending a single mail.
  if (facts.sessionRecipients >= 2 * policy.recipientsPerMail)
    return uncounted("refuse", "session_limit", { recorded: false });
  const zone = event.blockListing?.zone;
  if (zone !== undefined && policy.blockLists.includes(zone) && !isExcused(policy, facts, event))
    return uncounted("refuse", "block_listed", { fill: { ip: event.ip, zone } });
  if (event.senderExists === false) return uncounted("refuse", "sender_unknown");
  const bounced = decideBounce(policy, facts, event, now);
  if (bounced !== null) return bounced;
  const probing = deferProbingRelay(policy, facts, event, now);
  if (probing !== null) return probing;
  if (facts.recipient === "unknown") return decideUnknownRecipient(policy, facts, event, now);
  const fromAnywhere = decideProbingFromAnywhere(policy, facts, event, now);
  if (fromAnywhere !== null) return fromAnywhere;
  if (facts.recipient === "blocked") return uncounted("refuse", "recipient_blocked");
  if (facts.hasOtherExtension) return uncounted("defer", "extensions_deferred");
  if (policy.greylist && !facts.isKnown && facts.isFirstContact) return decideFirstContact(policy, facts, now);
  return uncounted("pass", "below_limit");
}

/** DATA: the mail counts for the account if one is signed in, otherwise for the address. */
export function decideData(policy: Policy, facts: Facts, event: DataCommand, now: Millis): Decision {
  const settled = decideBanOrProtection(facts, event.account) ?? decideInactive(facts);
  if (settled !== null) return settled;
  if (event.account !== null) return decideAccountMail(policy, facts, { ...event, account: event.account }, now);
  if (facts.sessionMails >= policy.perSession) return uncounted("refuse", "session_limit");

  const evidence = exceeded(policy.mail, facts.mails, now);
  if (evidence === null) return markFirstContact(policy, facts, now) ?? decision("pass", "below_limit");
  if (isProvider(policy, event.clientName)) return uncounted("defer", "provider_busy", { evidence });
  // The server's mail is wanted, but not all at once. It is accepted when the server retries.
  if (facts.offences === 0 && facts.isWanted) return uncounted("defer", "wanted_busy", { evidence });

  const past = facts.isKnown ? exceeded(policy.mail, facts.mails, now, policy.knownFactor) : null;
  if (facts.isKnown && (past === null || isShared(facts))) return decision("defer", "known_address", { evidence });
  return refuseAndBan(policy, facts, { code: "mail_limit", evidence: past ?? evidence }, now);
}

/**
 * End of message: checks for a ban since the last stage, an excess that our milter or `FilterLoad` found, and a hold on the account. If an
 * account's mail is not held, its recipients become correspondents. Other milters may still refuse the mail.
 */
export function decideEndOfMessage(policy: Policy, facts: Facts, event: EndOfMessage, now: Millis): Decision {
  if (event.excess !== undefined) return decideExcess(policy, facts, { ...event, excess: event.excess }, now);
  const settled = decideBanOrProtection(facts, event.account);
  if (settled !== null) return settled;
  const { account } = event;
  if (account === null) return decision("pass", "below_limit");
  const { holdEvidence, isMailHeld } = facts.sending;
  if (holdEvidence !== null || isMailHeld) return decideHeldMail(policy, facts, { ...event, account });
  const changes = outsiders(policy, facts.writtenTo).map(
    (address) => ({ type: "CORRESPOND", address, account }) as const,
  );
  return decision("pass", "below_limit", { changes });
}

/** No honest mail has more. The filters pay the same price for anyone's mail, so such a mail is always refused. */
export const MOST_OF_A_MAIL = { header_lines: 1_000, mime_parts: 1_000 } as const;
/**
 * Bytes that Rspamd reads at once before a stranger's large mail is deferred. It has one process, which needs 2 s for them on a slow
 * machine; Postfix waits much longer.
 */
export const MOST_IN_FILTERS = 64 * 1024 * 1024;
/** Mail up to this size is never deferred for its size, because even one in every SMTP connection adds up to little. */
export const LIGHT_BYTES = 256 * 1024;
/**
 * Mails that may cost Rspamd more than this beyond their size are read one at a time (`EndOfMessage.mayHideParts`), because such a cost
 * cannot be estimated reliably.
 */
export const MOST_EXTRA_BYTES = 16 * 1024 * 1024;

type Exceeding = EndOfMessage & Readonly<{ excess: Excess }>;

/**
 * A server with wanted mail relays for its users, so it is not banned for a bad one among them. An estimate causes no ban, because it does
 * not prove malice. A stranger's mail from a known or wanted address waits for no other strangers (`FilterLoad`), and its pass was recorded
 * when Postfix asked. An account's mail waits only for others of that account, so it must be retried.
 */
function decideExcess(policy: Policy, facts: Facts, { account, clientName, excess }: Exceeding, now: Millis): Decision {
  const relaysForOthers = isProvider(policy, clientName) || (facts.offences === 0 && facts.isWanted);
  const isTrusted = account !== null || facts.protection !== null || facts.isKnown || relaysForOthers;
  if (excess.of === "waits_for_turn" && account === null && isTrusted)
    return uncounted("pass", "below_limit", { recorded: false });
  if (excess.of === "waits_for_turn" || excess.of === "known_waits_too") return uncounted("defer", "filters_busy");
  if (excess.of === "bytes_in_filters") {
    const { count } = excess;
    // Below the limit the mail is deferred because its source has used up its share of the filters.
    const evidence = count < MOST_IN_FILTERS ? null : { count, limit: MOST_IN_FILTERS, windowMs: 0, key: null };
    return uncounted("defer", "filters_busy", { evidence });
  }
  const code = excess.of === "header_lines" ? "header_lines" : "mime_parts";
  const evidence = { count: excess.count, limit: MOST_OF_A_MAIL[code], windowMs: 0, key: null };
  const isSpared = isTrusted || facts.ban !== null || excess.isEstimate === true;
  const changes = isSpared ? [] : [nextBan(policy, facts, { code, evidence }, now)];
  return uncounted("refuse", code, { evidence, changes });
}

/** A server may be on a block list for the mail of a few of its users. The spam filter still judges such mail. */
function isExcused(policy: Policy, facts: Facts, { clientName }: Recipient): boolean {
  return facts.isKnown || isProvider(policy, clientName) || facts.isAnswer;
}

/** Probing for recipients: each unknown one counts, and too many are an offence. */
function decideUnknownRecipient(policy: Policy, facts: Facts, event: Recipient, now: Millis): Decision {
  const evidence = exceeded(policy.probes, facts.probes, now);
  if (evidence === null)
    return decideProbingFromAnywhere(policy, facts, event, now) ?? decision("refuse", "recipient_unknown");
  if (isProvider(policy, event.clientName)) return uncounted("defer", "provider_busy", { evidence });
  const past = facts.isKnown ? exceeded(policy.probes, facts.probes, now, policy.knownFactor) : null;
  if (facts.isKnown && past === null) return decision("refuse", "recipient_unknown", { evidence });
  return refuseAndBan(policy, facts, { code: "recipient_probing", evidence: past ?? evidence }, now);
}

/**
 * Past the limit, defers a wanted server for every recipient who did not write to the sender's domain. Past three times the limit, defers a
 * shared address for every recipient. Both relay for others, so they are not banned, and existing and unknown recipients get the same
 * answer, which hides who exists. Null if the other rules apply.
 */
function deferProbingRelay(policy: Policy, facts: Facts, event: Recipient, now: Millis): Decision | null {
  if (!facts.isKnown && facts.offences > 0) return null;
  const evidence = exceeded(policy.probes, facts.probes, now, facts.isKnown ? policy.knownFactor : 1);
  if (evidence === null || isProvider(policy, event.clientName)) return null;
  if (facts.isKnown) return isShared(facts) ? uncounted("defer", "known_address", { evidence }) : null;
  if (isBounce(event) || !facts.isWanted || (facts.recipient === "exists" && facts.isAnswer)) return null;
  return uncounted("defer", "wanted_busy", { evidence });
}

/** Applies a ban or a protection of the address. Protection exempts no signed-in account, because accounts have their own limits. */
export function decideBanOrProtection(facts: Facts, account: string | null): Decision | null {
  if (facts.ban !== null && facts.protection === null) return uncounted("refuse", "banned");
  if (facts.protection !== null && account === null) return uncounted("pass", facts.protection);
  return null;
}

/** Refuses the next mail in an open session of an account that was suspended or removed. After a new password, see `SubmissionSessions`. */
function decideInactive(facts: Facts): Decision | null {
  return facts.isAccountActive ? null : uncounted("refuse", "account_inactive");
}

/** The mail is held in the queue. Its recipients stay strangers until it is released. */
function decideHeldMail(policy: Policy, facts: Facts, event: EndOfMessage & Readonly<{ account: string }>): Decision {
  const { account, ip, queueId, recipientCount } = event;
  const { writtenTo, sending } = facts;
  const recipients = [...new Set(outsiders(policy, writtenTo))];
  const mail = { type: "HOLD_MAIL", queueId, account, ip, recipientCount, recipients } as const;
  return decision("hold", "account_held", { evidence: sending.holdEvidence, changes: queueId === "" ? [] : [mail] });
}

/** Returns the recipients in other domains, whose replies are expected once the mail is sent. */
function outsiders(policy: Policy, recipients: readonly string[]): readonly string[] {
  return recipients
    .filter(({ length }) => length <= LONGEST_ADDRESS)
    .map((recipient) => recipient.toLowerCase())
    .filter((address) => !policy.domains.includes(domainOf(address)));
}

function decideOwnSender(policy: Policy, facts: Facts, event: MailAttributes): Decision | null {
  if (event.account !== null) return null;
  const domain = domainOf(event.sender).toLowerCase();
  return event.sender !== "" && (policy.domains.includes(domain) || facts.isSenderHere)
    ? uncounted("refuse", "own_sender")
    : null;
}

/**
 * Decides on a bounce's recipient; null if nothing forbids it. An unknown recipient is not an offence here, because honest servers return
 * spam that was sent in the name of made-up users. To hide which names exist, a bounce may have only one recipient, and past the limits
 * existing and unknown recipients get the same answer, except those who wrote to that server. The whole server's limit applies too.
 */
function decideBounce(policy: Policy, facts: Facts, event: Recipient, now: Millis): Decision | null {
  if (!isBounce(event)) return null;
  if (facts.bounce.hasOther) return uncounted("refuse", "bounce_recipients");
  const own = exceeded(policy.probes, facts.bounces, now, policy.knownFactor);
  const answer = own === null ? decideProbingFromAnywhere(policy, facts, event, now) : null;
  const evidence = own ?? (answer?.verdict === "defer" ? answer.evidence : null);
  const isAnswered = evidence === null || (facts.recipient === "exists" && facts.bounce.isExpected);
  if (!isAnswered) return uncounted("defer", "bounces_deferred", { evidence });
  if (facts.recipient !== "unknown") return null;
  return answer ?? decision("refuse", "recipient_unknown");
}
