import {
  type DataCommand,
  type EndOfMessage,
  type Excess,
  isBounce,
  type MailAttributes,
  type Recipient,
} from "../events/mail.ts";
import { domainOf } from "../net/address.ts";
import { HOUR_MS, type Millis } from "../time.ts";
import { nextBan, refuseAndBan } from "./ban-ladder.ts";
import { type Decision, decision, uncounted } from "./decision.ts";
import { type Facts, isShared } from "./facts.ts";
import { isProvider, type Policy } from "./policy.ts";
import { decideAccountMail, decideAccountRecipient } from "./sending.ts";
import { exceeded, reached } from "./windows.ts";

/** RFC 5321, 4.5.3.1: a path of 256 octets, with a local part that SMTPUTF8 may make longer. */
const LONGEST_ADDRESS = 320;

/** RCPT TO: the last moment at which one of several recipients can be refused. */
export function decideRecipient(policy: Policy, facts: Facts, event: Recipient, now: Millis): Decision {
  const settled =
    decideBanOrProtection(facts, event.account) ?? decideInactive(facts) ?? decideOwnSender(policy, facts, event);
  if (settled !== null) return settled;
  if (event.account !== null) return decideAccountRecipient(policy, facts, now);
  // No row: otherwise one address could push out the recorded events of months, without a single mail.
  if (facts.sessionRecipients >= 2 * policy.recipientsPerMail)
    return uncounted("refuse", "session_limit", { recorded: false });
  const zone = event.blockListing?.zone;
  if (zone !== undefined && policy.blockLists.includes(zone) && !isExcused(policy, facts, event))
    return uncounted("refuse", "block_listed", { fill: { ip: event.ip, zone } });
  if (event.senderExists === false) return uncounted("refuse", "sender_unknown");
  const bounced = decideBounce(policy, facts, event, now);
  if (bounced !== null) return bounced;
  const probing = decideProbing(policy, facts, event, now);
  if (probing !== null) return probing;
  if (facts.recipient === "unknown") return decideUnknownRecipient(policy, facts, event, now);
  const fromAnywhere = decideProbingFromAnywhere(policy, facts, event, now);
  if (fromAnywhere !== null) return fromAnywhere;
  if (facts.recipient === "blocked") return uncounted("refuse", "recipient_blocked");
  if (facts.hasOtherExtension) return uncounted("defer", "extensions_deferred");
  if (policy.greylist && !facts.known && facts.firstContact) return decideFirstContact(policy, facts, now);
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
  // Its mail is wanted, but not all at once: it is accepted when it is sent again.
  if (facts.offences === 0 && facts.isWanted) return uncounted("defer", "wanted_busy", { evidence });

  const past = facts.known ? exceeded(policy.mail, facts.mails, now, policy.knownFactor) : null;
  if (facts.known && (past === null || isShared(facts))) return decision("defer", "known_address", { evidence });
  return refuseAndBan(policy, facts, { code: "mail_limit", evidence: past ?? evidence }, now);
}

/**
 * End of message: what matters is a ban since the last stage, what our milter or `FilterLoad` found, and a hold of the account. If an account's
 * mail is not held, its recipients become correspondents. Other milters may still refuse the mail.
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

/** No honest mail has more. Such a mail costs the filters the same whoever sends it, so it is always refused. */
export const MOST_OF_A_MAIL = { header_lines: 1_000, mime_parts: 1_000 } as const;
/**
 * Bytes that Rspamd reads at once before a stranger's large mail is deferred. It has one process, which needs 2 s for them on a slow
 * machine; Postfix waits much longer.
 */
export const MOST_IN_FILTERS = 64 * 1024 * 1024;
/** A mail of this size is never deferred for its size: even one in each SMTP connection is little. */
export const LIGHT_BYTES = 256 * 1024;
/** A mail that may cost Rspamd more than this beyond its size is read one at a time (`EndOfMessage.mayHideParts`): no estimate of such a cost is sure. */
export const MOST_EXTRA_BYTES = 16 * 1024 * 1024;

type TooMuch = EndOfMessage & Readonly<{ excess: Excess }>;

/**
 * A server with wanted mail relays for its users, so a bad one among them does not ban the server. An estimate proves no malice. A known
 * sender's mail waits for no stranger's turn; that it passes is recorded already.
 */
function decideExcess(policy: Policy, facts: Facts, { account, clientName, excess }: TooMuch, now: Millis): Decision {
  const relaysForOthers = isProvider(policy, clientName) || (facts.offences === 0 && facts.isWanted);
  const isTrusted = account !== null || facts.protection !== null || facts.known || relaysForOthers;
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

/** Block lists name a server for what a few of its users send. The spam filter still judges such mail. */
function isExcused(policy: Policy, facts: Facts, { clientName }: Recipient): boolean {
  return facts.known || isProvider(policy, clientName) || facts.isAnswer;
}

/** Probing for recipients: each unknown one counts, and too many are an offence. */
function decideUnknownRecipient(policy: Policy, facts: Facts, event: Recipient, now: Millis): Decision {
  const evidence = exceeded(policy.probes, facts.probes, now);
  if (evidence === null)
    return decideProbingFromAnywhere(policy, facts, event, now) ?? decision("refuse", "recipient_unknown");
  if (isProvider(policy, event.clientName)) return uncounted("defer", "provider_busy", { evidence });
  const past = facts.known ? exceeded(policy.probes, facts.probes, now, policy.knownFactor) : null;
  if (facts.known && past === null) return decision("refuse", "recipient_unknown", { evidence });
  return refuseAndBan(policy, facts, { code: "recipient_probing", evidence: past ?? evidence }, now);
}

/**
 * Past the limit, a wanted server that probes is deferred for every recipient who did not write to the sender's domain, and past three times
 * the limit a shared address for every recipient: it relays for others, so it is not banned, and no one learns who exists. Null: the other
 * rules apply.
 */
function decideProbing(policy: Policy, facts: Facts, event: Recipient, now: Millis): Decision | null {
  if (!facts.known && facts.offences > 0) return null;
  const evidence = exceeded(policy.probes, facts.probes, now, facts.known ? policy.knownFactor : 1);
  if (evidence === null || isProvider(policy, event.clientName)) return null;
  if (facts.known) return isShared(facts) ? uncounted("defer", "known_address", { evidence }) : null;
  if (isBounce(event) || !facts.isWanted || (facts.recipient === "exists" && facts.isAnswer)) return null;
  return uncounted("defer", "wanted_busy", { evidence });
}

/** A ban or a protection of the address. A signed-in account has its own limits. */
export function decideBanOrProtection(facts: Facts, account: string | null): Decision | null {
  if (facts.ban !== null && facts.protection === null) return uncounted("refuse", "banned");
  if (facts.protection !== null && account === null) return uncounted("pass", facts.protection);
  return null;
}

/** An open session of an account ends at its next mail if the account was suspended or removed; after a new password, see `SubmissionSessions`. */
function decideInactive(facts: Facts): Decision | null {
  return facts.accountActive ? null : uncounted("refuse", "account_inactive");
}

/** The mail is held in the queue. Its recipients stay strangers until it is released. */
function decideHeldMail(policy: Policy, facts: Facts, event: EndOfMessage & Readonly<{ account: string }>): Decision {
  const { account, ip, queueId, recipientCount } = event;
  const { writtenTo, sending } = facts;
  const recipients = [...new Set(outsiders(policy, writtenTo))];
  const mail = { type: "HOLD_MAIL", queueId, account, ip, recipientCount, recipients } as const;
  return decision("hold", "account_held", { evidence: sending.holdEvidence, changes: queueId === "" ? [] : [mail] });
}

/** The recipients of an account's mail elsewhere: they may answer at once. */
function outsiders(policy: Policy, recipients: readonly string[]): readonly string[] {
  return recipients
    .filter(({ length }) => length <= LONGEST_ADDRESS)
    .map((recipient) => recipient.toLowerCase())
    .filter((address) => !policy.domains.includes(domainOf(address)));
}

function decideOwnSender(policy: Policy, facts: Facts, event: MailAttributes): Decision | null {
  if (event.account !== null) return null;
  const domain = domainOf(event.sender).toLowerCase();
  return event.sender !== "" && (policy.domains.includes(domain) || facts.senderHere)
    ? uncounted("refuse", "own_sender")
    : null;
}

/**
 * A bounce names a recipient; null: nothing forbids it. An unknown recipient is no offence here, because honest servers bounce
 * spam that names made-up users. To hide which names exist, a bounce has one recipient, and past the limits existing and unknown
 * ones get the same answer, except a recipient who wrote to that server. Past the limit of the whole server, this is as for other mail.
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

/**
 * Probing for recipients from many places, each below its own limit. A network that asked for an unknown one (for three, if the client
 * is a wanted server) is deferred for every recipient. For others, an unknown recipient is answered like a first contact with a known
 * one, by Postgrey, so honest strangers still come in; a second extension, whose usual reply shows that the mailbox exists, is deferred. Null: the
 * usual rules apply. Retries never lead to a ban.
 */
export function decideProbingFromAnywhere(
  policy: Policy,
  facts: Facts,
  event: Recipient,
  now: Millis,
): Decision | null {
  const evidence = reached(policy.probesFromAnywhere, facts.probesFromAnywhere, now);
  if (evidence === null || !isStranger(policy, facts, event)) return null;
  if (isPastNames(facts) || facts.hasOtherExtension || !policy.greylist)
    return uncounted("defer", "recipients_deferred", { evidence });
  return facts.recipient === "exists" ? null : uncounted("pass", "recipient_hidden", { evidence });
}

/** From this many names of a network on, its wanted servers are deferred too. */
const NAMES_OF_WANTED = 3;

/** A mail to an outdated address, which is retried for days, must not keep out the other mail of a wanted server. */
function isPastNames({ namesProbed, isWanted }: Facts): boolean {
  return namesProbed >= NAMES_OF_WANTED || (namesProbed > 0 && !isWanted);
}

/** Past the limit of first contacts (snowshoe spam: many addresses send one mail each), they are deferred for longer. */
export function decideFirstContact(policy: Policy, facts: Facts, now: Millis): Decision {
  const evidence = reached(policy.firstContacts.limits, facts.firstContactsFromAnywhere, now);
  const first = facts.connections.find((at) => at > now - HOUR_MS);
  // It connected within the hour and at least `delayMs` ago, so this counts as a retry.
  const hasWaited = first !== undefined && first <= now - policy.firstContacts.delayMs;
  if (evidence === null || facts.isWanted || hasWaited) return uncounted("pass", "greylist_asked");
  return uncounted("defer", "first_contacts_deferred", { evidence });
}

/** Past the limit of first contacts, their mail gets a header for the spam filter. Null unless this client is one of them. */
export function markFirstContact(policy: Policy, facts: Facts, now: Millis): Decision | null {
  const evidence = reached(policy.firstContacts.limits, facts.firstContactsFromAnywhere, now);
  if (evidence === null || facts.known || !facts.isAmongFirstContacts || facts.isWanted) return null;
  return decision("pass", "first_contacts_marked", { evidence });
}

/**
 * Whether nothing vouches for the client. Honest mail on three days makes a server wanted, which must not open the list of names. Without
 * greylisting no one looks up whom accounts wrote to: then wanted servers and large providers are excepted.
 */
function isStranger(policy: Policy, facts: Facts, { clientName }: Recipient): boolean {
  if (facts.known) return false;
  return policy.greylist ? facts.firstContact : !facts.isWanted && !isProvider(policy, clientName);
}
