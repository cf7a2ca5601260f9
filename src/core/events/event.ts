import type { Ip, Prefix } from "../net/ip.ts";
import type { Millis } from "../time.ts";
import type { ClientFault, Reason } from "./reasons.ts";

/** The door an event came through. */
export type Service = "smtp" | "submission" | "submissions" | "imap" | "sieve" | "dashboard";

/** A DNS block list that names the client. `meaning`: for the administrator, what its answer says. */
export type Listing = Readonly<{ zone: string; meaning: string }>;

/** What is known of a mail transaction when Postfix asks (SMTPD_POLICY_README). */
export type MailFacts = Readonly<{
  ip: Ip;
  service: Service;
  /** Names the connection: client address and port. */
  session: string;
  /** Client host name, forward-confirmed by Postfix; null where it is unknown. */
  clientName: string | null;
  helo: string;
  sender: string;
  /** Null when the stage concerns several recipients. */
  recipient: string | null;
  /** SASL login name; null for a stranger. */
  account: string | null;
  queueId: string;
  /** Names the mail within its connection, from the first recipient on. */
  transaction: string;
}>;

export type Connect = Readonly<{ type: "CONNECT" } & Pick<MailFacts, "ip" | "service" | "session" | "clientName">>;
/** `listed`: what the block lists said of the client; null where none did, or none was asked. */
export type Recipient = Readonly<
  {
    type: "RECIPIENT";
    listed: Listing | null;
    /** Whether the sender's domain takes mail, by the DNS; null where that could not be told, or nobody asked. */
    senderExists: boolean | null;
    /** Whether it was proven that the client speaks for the sender's domain; absent where nobody asked. */
    senderProven?: boolean;
  } & MailFacts
>;
/** The DATA command: the moment at which a mail counts. */
export type Mail = Readonly<{ type: "MAIL"; recipientCount: number } & MailFacts>;
/** End of message: the content has arrived. */
export type Message = Readonly<{ type: "MESSAGE"; recipientCount: number; sizeBytes: number } & MailFacts>;

/** What Dovecot (or the dashboard) tells of a login. `login` is whatever the client typed. */
export type LoginFacts = Readonly<{
  ip: Ip;
  service: Service;
  login: string;
  /** A short keyed hash that tells passwords apart without revealing them; empty where unknown. */
  passwordHash: string;
  /** Whether its sender has brought as many bans as it may: what it tells counts, and brings none. */
  withoutBan?: boolean;
}>;
/** Before the password is verified. */
export type LoginAsked = Readonly<{ type: "LOGIN_ASKED" } & LoginFacts>;
export type LoginSucceeded = Readonly<{ type: "LOGIN_SUCCEEDED" } & LoginFacts>;
export type LoginFailed = Readonly<{ type: "LOGIN_FAILED" } & LoginFacts>;

/** Who gave a command: `root` at the machine, or an administrator of the dashboard or the API. */
export type Actor = string;
export type BanAsked = Readonly<{
  type: "BAN_ASKED";
  prefix: Prefix;
  note: string;
  /** Null: permanent. */
  durationMs: number | null;
  by: Actor;
}>;
export type UnbanAsked = Readonly<{ type: "UNBAN_ASKED"; prefix: Prefix; by: Actor }>;
export type AllowAsked = Readonly<{
  type: "ALLOW_ASKED";
  prefix: Prefix;
  note: string;
  /** Null: until it is taken off. */
  durationMs: number | null;
  by: Actor;
}>;
export type DisallowAsked = Readonly<{ type: "DISALLOW_ASKED"; prefix: Prefix; by: Actor }>;
/** Time has come for an entry of the allow list to end. */
export type AllowExpired = Readonly<{ type: "ALLOW_EXPIRED"; prefix: Prefix }>;
/** Time has come for a ban to end. */
export type BanExpired = Readonly<{ type: "BAN_EXPIRED"; prefix: Prefix }>;

/**
 * A line that a jail matched. `about`: a sign-in that failed, a refusal in the guard's own words, or something that
 * only the log tells. `at`: to the second.
 */
export type JailLine = Readonly<{ text: string; at: Millis; about: "login" | "refusal" | "log" }>;

/** A jail of Fail2ban found as many offences of one address in a log as it takes. */
export type JailReported = Readonly<{
  type: "JAIL_REPORTED";
  ip: Ip;
  jail: string;
  /** Offences that it counted: at least `limit` within `windowMs`. */
  failures: number;
  limit: number;
  windowMs: number;
  /** How long the jail wants a first ban to be. */
  banMs: number;
  /** When the last of its lines was written; logs tell whole seconds. */
  lastAt: Millis;
  /** The client's host name where its lines tell one; forward-confirmed by Postfix. */
  clientName: string | null;
  /** Lines that it matched, the last ones. */
  lines: readonly JailLine[];
}>;

export type Event =
  | Connect
  | Recipient
  | Mail
  | Message
  | LoginAsked
  | LoginSucceeded
  | LoginFailed
  | JailReported
  | BanAsked
  | UnbanAsked
  | AllowAsked
  | DisallowAsked
  | AllowExpired
  | BanExpired;

/** About a network: an administrator's command, or the end of what one, or a ban, set a time to. */
export type CommandEvent = Extract<Event, { readonly prefix: Prefix }>;
/** Of a client. */
export type ClientEvent = Exclude<Event, CommandEvent>;

/** A command on accounts, tokens or settings: recorded for the audit, decided by nobody. */
export type Audit = Readonly<{ type: AuditType; subject: string; by: Actor }>;
export type AuditType =
  | "ACCOUNT_ADDED"
  | "ACCOUNT_REMOVED"
  | "ACCOUNT_SUSPENDED"
  | "ACCOUNT_RESUMED"
  | "PASSWORD_CHANGED"
  | "NETWORKS_CHANGED"
  | "ALIAS_ADDED"
  | "ALIAS_REMOVED"
  | "ALIAS_BLOCKED"
  | "ALIAS_UNBLOCKED"
  | "SPAM_ALLOW_ADDED"
  | "SPAM_ALLOW_REMOVED"
  | "TOKEN_CREATED"
  | "TOKEN_REVOKED"
  | "ADMIN_PASSWORD_CHANGED"
  | "SETTINGS_APPLIED"
  | "GREYLIST_PAUSED"
  | "GREYLIST_RESUMED"
  | "BREAK_GLASS"
  /** What its origin may not ask: the subject is the verb. */
  | "COMMAND_REFUSED"
  | "EVENTS_AGGREGATED";

/** What a component's log told of a mail: recorded, decided by nobody. */
export type Observation =
  | Readonly<{
      type: "SPAM_SCORED";
      score: number;
      required: number;
      messageId: string;
      /** Null where the mail had several, or where it is not known. */
      recipient: string | null;
    }>
  /** Refused by a milter once its content was known. */
  | Readonly<{
      type: "CONTENT_REFUSED";
      ip: Ip;
      reason: Extract<Reason, "spam_refused" | "dmarc_refused" | "author_unclear" | "author_not_own">;
      /** Who had signed in; null for a stranger. */
      account: string | null;
      queueId: string;
      sender: string;
      recipient: string;
      reply: string;
    }>
  /** What a client did wrong, and Postfix or Dovecot dealt with by itself. `times`: how often, in one line. */
  | Readonly<{ type: "CLIENT_FAULT"; ip: Ip; service: Service; reason: ClientFault; detail: string; times: number }>
  /** A sign-in that failed while the guard, which is asked otherwise, was down. */
  | Readonly<{ type: "LOGIN_UNSEEN"; ip: Ip; service: Service; login: string; times: number }>
  /** A mail got its place in the queue: which Message-ID goes with which queue id. */
  | Readonly<{ type: "MAIL_QUEUED"; queueId: string; messageId: string }>
  /** What became of it, for each recipient and try. */
  | Readonly<{
      type: "MAIL_TRIED";
      queueId: string;
      recipient: string;
      /** The address that led to the recipient, as the sender wrote it; null where that was the recipient's own. */
      alias: string | null;
      /** `withheld`: a report that was not sent, because the sender of the mail it is about is not proven. */
      outcome: "sent" | "deferred" | "bounced" | "withheld";
      /** By which program and to whom; then the answer of the other side. */
      relay: string;
      reply: string;
      /** The server elsewhere that was spoken to; null where it stayed here. */
      server: Ip | null;
    }>
  /** What the milters found out about a stranger's mail before it was queued. */
  | Readonly<{ type: "MAIL_JUDGED"; queueId: string; found: MailFinding }>;

/** `spf`, `dkim`: who sent it is proven, by SPF or by a signature alone. `spam`: it was marked. */
export type MailFinding = "spf" | "dkim" | "spam";

/** How far a log has been read: `offset` bytes of the file with this inode (its number, and when it was made). */
export type LogPosition = Readonly<{ inode: string; offset: number }>;

/** The address or network an event is about. */
export function subjectOf(event: Event): Ip | Prefix {
  return "ip" in event ? event.ip : event.prefix;
}
