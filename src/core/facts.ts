import type { Ban } from "./decision.ts";
import type { Ip, Prefix } from "./ip.ts";
import type { Protection } from "./reasons.ts";
import type { Millis } from "./time.ts";

/** What a recipient is here. `blocked`: a common target of spam that nobody here owns. */
export type RecipientKind = "known" | "unknown" | "blocked";

/** A failed login that counted. */
export type Failure = Readonly<{ at: Millis; passwordHash: string }>;

/** What a report of Fail2ban is weighed against; of any other event nothing. */
export type Heard = Readonly<{
  /** Offences up to here were judged before: by a report of the same jail, or by a ban of the address. Null: none. */
  upTo: Millis | null;
  /** Different passwords that failed from there in the time of the report, at most two; empty text where unknown. */
  passwords: readonly string[];
}>;

/** What is known of the address an event is about, this event not included. Times ascend. */
export type Facts = Readonly<{
  /** The unit in which the address is counted and would be banned. */
  subject: Prefix;
  ip: Ip;
  protection: Protection | null;
  /** An account signed in from here within the memory. */
  known: boolean;
  ban: Ban | null;
  /** Offences within the memory. */
  offences: number;
  connections: readonly Millis[];
  mails: readonly Millis[];
  failures: readonly Failure[];
  /** Recipients asked for that do not exist. */
  probes: readonly Millis[];
  /** From where the account may sign in that a login names; empty: from anywhere. */
  accountNetworks: readonly Prefix[];
  /** Whether the account that sends may still sign in; true where none does. */
  accountActive: boolean;
  /** Mails of the account that sends, when one is signed in. */
  accountMails: readonly Millis[];
  /** Mails that this connection has brought. */
  sessionMails: number;
  /** Of the recipient, where the event names one. */
  recipient: RecipientKind;
  /** Whether sender, client and recipient are strangers to each other, so that greylisting makes sense. */
  firstContact: boolean;
  heard: Heard;
}>;

export const NOTHING_HEARD: Heard = { upTo: null, passwords: [] };
