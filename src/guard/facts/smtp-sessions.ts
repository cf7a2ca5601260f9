import { BoundedMap } from "../../core/bounded-map.ts";
import type { Decision, Verdict } from "../../core/decide/decision.ts";
import { NO_RECIPIENTS, type RecipientCounts, type SendingFacts } from "../../core/decide/facts.ts";
import { withOneMore } from "../../core/decide/sending.ts";
import { connectionOf } from "../../core/events/connection.ts";
import type { ClientEvent, SmtpEvent } from "../../core/events/event.ts";
import { isBounce, type MailAttributes } from "../../core/events/mail.ts";
import { TRANSFER_MS } from "../../core/firewall/crowded-ports.ts";
import { withoutExtension } from "../../core/net/address.ts";
import { MINUTE_MS, type Millis } from "../../core/time.ts";
import { LIMITS } from "../limits.ts";

/** A mail within a connection. */
export type MailId = Pick<MailAttributes, "session" | "transaction">;
/** The same, its sender and one of its recipients. */
type Named = MailId & Pick<MailAttributes, "recipient" | "sender">;

/**
 * Counts the mails of each open connection, and the recipients since its last mail, because Postfix 3.7 does not. Remembers the first
 * recipient of each group of which a mail may name only one (`groupOf`). A dropped entry starts at zero again.
 */
export class SmtpSessions {
  readonly #mails = new BoundedMap<string, number>(LIMITS.sessions);
  readonly #recipients = new BoundedMap<string, number>(LIMITS.sessions);
  /** By session, of its latest mail. */
  readonly #firstOfGroups = new BoundedMap<string, FirstOfGroups>(LIMITS.sessions);

  /** Starts at zero: a new connection may reuse the port of an old one. */
  begin(session: string): void {
    this.#mails.delete(session);
    this.#recipients.delete(session);
    this.#firstOfGroups.delete(session);
  }

  mails(session: string): number {
    return this.#mails.get(session) ?? 0;
  }

  addMail(session: string): void {
    this.#mails.set(session, this.mails(session) + 1);
    this.#recipients.delete(session);
  }

  /** Recipients since the connection's last mail. */
  recipients(session: string): number {
    return this.#recipients.get(session) ?? 0;
  }

  addRecipient(session: string): void {
    this.#recipients.set(session, this.recipients(session) + 1);
  }

  /** Whether this mail may not name this recipient in addition to earlier ones. Postfix may repeat a question about the same one. */
  hasOther(mail: Named): boolean {
    const [known, group] = [this.#firstOfGroups.get(mail.session), groupOf(mail)];
    if (known?.transaction !== mail.transaction || group === null) return false;
    const first = known.first.get(group);
    return first === undefined ? known.first.size >= MOST_GROUPS : first !== (mail.recipient ?? "").toLowerCase();
  }

  /** Remembers a recipient that is the first of its group. */
  addToGroup(mail: Named): void {
    const [known, group] = [this.#firstOfGroups.get(mail.session), groupOf(mail)];
    if (group === null) return;
    const { transaction } = mail;
    const ofMail: FirstOfGroups = known?.transaction === transaction ? known : { transaction, first: new Map() };
    if (ofMail.first.size < MOST_GROUPS) ofMail.first.getOrInsert(group, (mail.recipient ?? "").toLowerCase());
    this.#firstOfGroups.set(mail.session, ofMail);
  }
}

/** Of one mail: by group, the recipient that it named first. */
type FirstOfGroups = Readonly<{ transaction: string; first: Map<string, string> }>;

/** Maximum mailboxes with an extension in one mail. Further ones get it in another transaction. */
const MOST_GROUPS = 20;

/** The group of recipients of which a mail may name only one: all of a bounce, or all extensions of a mailbox. Null without a group. */
function groupOf({ sender, recipient }: Named): string | null {
  if (isBounce({ sender })) return "";
  const address = recipient ?? "";
  const mailbox = withoutExtension(address);
  return mailbox === address ? null : mailbox.toLowerCase();
}

/** `at`: when a mail of this connection last made progress. `isTransferring`: its content is being sent or judged. */
export type Progress = Readonly<{ at: Millis; isTransferring: boolean }>;

/** How long milters and delivery may take after the last byte. Milliseconds. */
const JUDGED_MS = MINUTE_MS;

/**
 * How far the mails of open connections have progressed, according to Postfix's questions. `createPortRoom` reads it to choose which to
 * close on a crowded port. A dropped entry counts as no progress.
 */
export class SmtpProgress {
  readonly #begun = new BoundedMap<string, Readonly<{ at: Millis; hasRecipient: boolean }>>(LIMITS.sessions);
  /**
   * Mails whose content is arriving or has arrived, in a separate map, so that many short connections cannot evict them. `longestMs`: the
   * maximum time that they take.
   */
  readonly #transfers = new BoundedMap<string, Readonly<{ at: Millis; longestMs: number }>>(LIMITS.sessions);

  update(event: SmtpEvent, verdict: Verdict, now: Millis): void {
    const connection = connectionOf(event.session);
    if (event.type === "CONNECT") {
      this.#begun.set(connection, { at: now, hasRecipient: false });
      this.#transfers.delete(connection);
    }
    // A mail that will be held is sent all the same.
    if (verdict !== "pass" && verdict !== "hold") return;
    if (event.type === "DATA") this.#transfers.set(connection, { at: now, longestMs: TRANSFER_MS });
    else if (event.type === "END_OF_MESSAGE") this.#transfers.set(connection, { at: now, longestMs: JUDGED_MS });
    // Further recipients cost the client nothing, so they do not count as progress.
    else if (event.type === "RECIPIENT" && this.#begun.get(connection)?.hasRecipient === false)
      this.#begun.set(connection, { at: now, hasRecipient: true });
  }

  /** By `connectionName`. Null if unknown. A clock that was set back keeps no transfer active. */
  of(connection: string, now: Millis): Progress | null {
    const transfer = this.#transfers.get(connection);
    if (transfer !== undefined)
      return { at: transfer.at, isTransferring: Math.abs(now - transfer.at) < transfer.longestMs };
    const begun = this.#begun.get(connection);
    return begun === undefined ? null : { at: begun.at, isTransferring: false };
  }
}

/** `last`: the last recipient, with the counts and the number of names before it. */
type NamedInMail = {
  readonly transaction: string;
  readonly names: string[];
  counts: RecipientCounts;
  isHeld: boolean;
  /** The account for which DATA counted its recipients. */
  countedFor: string | null;
  /** How many of its recipients an earlier, unfinished mail has counted already. */
  again: number;
  last: Readonly<{ recipient: string; counts: RecipientCounts; again: number; names: number }> | null;
};

/**
 * The recipients of accounts' mails in flight, one mail per connection. At the end of a mail Postfix names its recipient only if
 * there is just one (SMTPD_POLICY_README). The recipients of a dropped entry are not remembered as written to, and count as
 * strangers.
 */
export class NamedRecipients {
  readonly #mails = new BoundedMap<string, NamedInMail>(LIMITS.namedRecipientsMails);

  /** Applies a decided event to the mail in flight. */
  update(event: ClientEvent, { verdict, counted }: Pick<Decision, "verdict" | "counted">, sending: SendingFacts): void {
    // A new connection may reuse the port of an old one.
    if (event.type === "CONNECT" || event.type === "END_OF_MESSAGE") this.#mails.delete(event.session);
    if (!("account" in event) || event.account === null) return;
    if (event.type === "RECIPIENT" && event.recipient !== null && verdict === "pass")
      this.add(event, event.recipient, sending.recipient);
    const present = event.type === "DATA" ? this.#inFlight(event) : undefined;
    if (present === undefined) return;
    present.countedFor = counted ? event.account : null;
    if (verdict === "hold") present.isHeld = true;
  }

  add({ session, transaction }: MailId, recipient: string, kind: SendingFacts["recipient"]): void {
    const present = this.#inFlight({ session, transaction });
    const named: NamedInMail = present ?? { ...NOTHING_NAMED, transaction, names: [] };
    const { names, counts, again } = named;
    named.last = { recipient, counts, again, names: names.length };
    named.counts = withOneMore(counts, kind);
    if (kind === "again") named.again += 1;
    if (names.length < LIMITS.namedRecipients) names.push(recipient);
    this.#mails.set(session, named);
  }

  /** Removes this recipient if it is the last one: it will be decided on again. */
  undoAdd(mail: MailId, recipient: string): void {
    const named = this.#inFlight(mail);
    if (named === undefined || named.last?.recipient !== recipient) return;
    named.names.length = named.last.names;
    named.counts = named.last.counts;
    named.again = named.last.again;
  }

  of(mail: MailId): readonly string[] {
    return this.#inFlight(mail)?.names ?? [];
  }

  /** `all`: the number of recipients that Postfix counts; those not named here are unknown. */
  counts(mail: MailId, all: number | null): RecipientCounts {
    const counts = this.#inFlight(mail)?.counts ?? NO_RECIPIENTS;
    if (all === null) return counts;
    const { recipients, written, strangers } = counts;
    const unseen = Math.max(0, all - recipients);
    return { recipients: all, written: Math.min(written, all), strangers: Math.min(strangers, all) + unseen };
  }

  /** Whether Postfix was instructed to hold it. */
  isHeld(mail: MailId): boolean {
    return this.#inFlight(mail)?.isHeld ?? false;
  }

  again(mail: MailId): number {
    return this.#inFlight(mail)?.again ?? 0;
  }

  /** Whether an unfinished mail of the account has counted this recipient: its upload broke off, or continues on another connection. */
  hasCounted(account: string, recipient: string): boolean {
    for (const [, { countedFor, names }] of this.#mails)
      if (countedFor === account && names.includes(recipient)) return true;
    return false;
  }

  #inFlight({ session, transaction }: MailId): NamedInMail | undefined {
    const present = this.#mails.get(session);
    return present?.transaction === transaction ? present : undefined;
  }
}

const NOTHING_NAMED = { counts: NO_RECIPIENTS, isHeld: false, countedFor: null, again: 0, last: null };
