import { isLeftToPostgrey, type Verdict } from "../decide/decision.ts";
import { plural } from "../text.ts";
import {
  actionOf,
  type DecidedKind,
  type EventColumns,
  readSession,
  shown,
  stored,
  storedOrNull,
  storedSession,
} from "./columns.ts";
import type { Connect } from "./connection.ts";
import type { EventType } from "./event-types.ts";
import type { RestOf } from "./rest-schemas.ts";
import type { Seen } from "./seen.ts";

/** What is known about a mail transaction when Postfix asks (SMTPD_POLICY_README). */
export type MailAttributes = Readonly<{
  helo: string;
  /** Envelope sender. */
  sender: string;
  /** Null if the stage concerns several recipients. */
  recipient: string | null;
  /** SASL login name; null for a stranger. */
  account: string | null;
  queueId: string;
  /** Names the mail within its connection, from the first recipient on; empty if our milter asks. */
  transaction: string;
}> &
  Omit<Connect, "type">;

/** A DNS block list that lists the client. `meaning`: what its answer means, for the administrator. */
export type Listing = Readonly<{ zone: string; meaning: string }>;

/** The zone as strangers may see it: Spamhaus' customers have their key in front of it. */
export function publicZone(zone: string): string {
  return /^[a-z0-9]{20,}\.(.+\.dq\.spamhaus\.net)$/.exec(zone)?.[1] ?? zone;
}

export type Recipient = Readonly<
  {
    type: "RECIPIENT";
    /** Of the client; null if there is none, or no list was asked. */
    blockListing: Listing | null;
    /** Whether the sender's domain accepts mail according to the DNS; null if unknown or not asked. */
    senderExists: boolean | null;
    /** SPF proves the client for the sender's domain; false if unasked (`needsSenderProof`), absent for accounts and protected clients. */
    senderProven?: boolean;
  } & MailAttributes
>;
/** The DATA command, at which a mail counts. */
export type DataCommand = Readonly<{ type: "DATA"; recipientCount: number } & MailAttributes>;
/** Why the filters should not read a mail, or not yet: the limit that it exceeds, or the bytes that Rspamd is already reading. */
export type Excess =
  /** `isEstimate`: the filters might find that many parts. */
  | Readonly<{ of: "header_lines" | "mime_parts" | "bytes_in_filters"; count: number; isEstimate?: true | undefined }>
  /**
   * A mail that may hide parts, or is a suspect's, has no turn (mail/postfix/filter-load.ts): it must be retried, unless a stranger sends it
   * from a known or wanted address.
   */
  | Readonly<{ of: "waits_for_turn" }>
  /** It must be retried even then, because mails from such addresses take turns too. */
  | Readonly<{ of: "known_waits_too" }>;
/** End of message: the content has arrived. */
export type EndOfMessage = Readonly<
  {
    type: "END_OF_MESSAGE";
    recipientCount: number;
    /** With an `excess`, covers only what was read. */
    sizeBytes: number;
    excess?: Excess;
    /** Our milter could not count all parts or estimate their cost, so Rspamd reads only one such mail at a time. */
    mayHideParts?: true;
    /** Of a suspect (mail/postfix/filter-load.ts), all of whose mails Rspamd reads one at a time. */
    isSuspect?: true;
    /** Rspamd takes as long as for a plain mail of this size, which exceeds the mail's own. */
    weightBytes?: number;
  } & MailAttributes
>;

/** A mail without a sender is a bounce. No further bounce may be sent about it (RFC 5321, 4.5.5). */
export function isBounce({ sender }: Pick<MailAttributes, "sender">): boolean {
  return sender.trim() === "";
}

type Session = Pick<RestOf<"MAIL">, "session" | "transaction" | "clientName" | "seen">;

export const recipientNamed: DecidedKind<Recipient, RestOf<"RECIPIENT">> = {
  name: (_, { verdict, reason }) => (isLeftToPostgrey({ reason }) ? "GREYLIST_ASKED" : mailName("RECIPIENT", verdict)),
  // Only a decision on an unknown recipient is `counted`.
  window: (event) => (isBounce(event) ? "bounce" : "probe"),
  columns: envelope,
  rest: (event, seen) => ({
    event: "RECIPIENT",
    ...sessionRest(event, seen),
    listed: event.blockListing ?? undefined,
    senderExists: event.senderExists === true ? undefined : event.senderExists,
    senderProven: event.senderProven,
  }),
  sentence: ({ service, sender, recipient, helo, verdict, reason }, { listed }) => ({
    details:
      `${service} from=<${shown(sender)}> to=<${shown(recipient)}> helo=<${shown(helo)}>` +
      (listed === undefined ? "" : ` listed=${listed.zone} (${shown(listed.meaning)})`),
    action: isLeftToPostgrey({ reason }) ? "left to Postgrey" : actionOf(verdict),
  }),
  event: (recorded, rest) => {
    const mail = mailOf(recorded, rest);
    if (mail === null) return null;
    const { listed: blockListing = null, senderExists = true, senderProven } = rest;
    const asked = { type: "RECIPIENT", blockListing, senderExists, ...mail } as const;
    return senderProven === undefined ? asked : { ...asked, senderProven };
  },
};

// Records keep older names of two stages (`recordedName`): MAIL is DATA, MESSAGE is END_OF_MESSAGE. `Event` lists the public names.
export const dataCommand: DecidedKind<DataCommand, RestOf<"MAIL">> = {
  name: (_, { verdict }) => mailName("EMAIL", verdict),
  window: ({ account }) => (account === null ? "mail" : "account_mail"),
  columns: envelope,
  rest: (event, seen) => ({ event: "MAIL", ...sessionRest(event, seen), recipientCount: countOf(event) }),
  sentence: (recorded, rest) => ({
    details: `${recorded.service} from=<${shown(recorded.sender)}>${toWhom(recorded, rest)}`,
    action: actionOf(recorded.verdict),
  }),
  event: (recorded, rest) => {
    const mail = mailOf(recorded, rest);
    return mail === null ? null : { type: "DATA", recipientCount: rest.recipientCount ?? 1, ...mail };
  },
};

export const endOfMessage: DecidedKind<EndOfMessage, RestOf<"MESSAGE">> = {
  name: (_, { verdict }) => (verdict === "hold" ? "EMAIL_HELD" : mailName("EMAIL_ACCEPTED", verdict)),
  window: () => null,
  columns: (event) => ({ ...envelope(event), sizeBytes: event.sizeBytes }),
  rest: (event, seen) => ({
    event: "MESSAGE",
    ...sessionRest(event, seen),
    recipientCount: countOf(event),
    excess: event.excess,
  }),
  sentence: (recorded, rest) => ({
    details:
      `${recorded.service} from=<${shown(recorded.sender)}>${toWhom(recorded, rest)}` +
      ` size=${recorded.sizeBytes} queue_id=${shown(recorded.queueId)}`,
    action: actionOf(recorded.verdict),
  }),
  event: (recorded, rest) => {
    const mail = mailOf(recorded, rest);
    const { sizeBytes } = recorded;
    if (mail === null || sizeBytes === null) return null;
    const taken = { type: "END_OF_MESSAGE", recipientCount: rest.recipientCount ?? 1, sizeBytes, ...mail } as const;
    return rest.excess === undefined ? taken : { ...taken, excess: rest.excess };
  },
};

function countOf({ recipientCount }: DataCommand | EndOfMessage): number | undefined {
  return recipientCount === 1 ? undefined : recipientCount;
}

function mailName(passed: EventType, verdict: Verdict): EventType {
  return verdict === "refuse" ? "EMAIL_BLOCKED" : verdict === "defer" ? "EMAIL_DEFERRED" : passed;
}

function envelope({ service, account, sender, recipient, helo, queueId }: MailAttributes): Partial<EventColumns> {
  return {
    service,
    account,
    sender: stored(sender),
    recipient: storedOrNull(recipient),
    helo: stored(helo),
    queueId: queueId === "" ? null : stored(queueId),
  };
}

function sessionRest({ ip, session, transaction, clientName }: MailAttributes, seen: Seen | undefined): Session {
  return {
    session: storedSession(session, ip),
    transaction: stored(transaction),
    clientName: clientName === null ? undefined : stored(clientName),
    seen,
  };
}

function mailOf(recorded: EventColumns, rest: Session): MailAttributes | null {
  const { transaction } = rest;
  const clientName = rest.clientName ?? null;
  const { ip, service, account, sender, recipient, helo, queueId } = recorded;
  if (ip === null || service === null || sender === null || helo === null) return null;
  const session = readSession(rest.session, ip);
  return { ip, service, session, clientName, helo, sender, recipient, account, queueId: queueId ?? "", transaction };
}

function toWhom({ recipient }: EventColumns, { recipientCount = 1 }: RestOf<"MAIL" | "MESSAGE">): string {
  return recipient === null ? ` to ${plural(recipientCount, "recipient")}` : ` to=<${shown(recipient)}>`;
}
