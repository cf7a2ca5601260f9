import type { Protection } from "../events/reasons.ts";
import type { Ip, Prefix } from "../net/ip.ts";
import type { Millis } from "../time.ts";
import type { Ban } from "./decision.ts";
import type { HonestServer } from "./honest-mail.ts";

/** What a recipient is here. `blocked`: a common target of spam that nobody here owns. */
export type RecipientKind = "known" | "unknown" | "blocked";

/** A failed login that counted. `account`: what the client typed, in lower case. */
export type Failure = Readonly<{ at: Millis; passwordHash: string; account: string }>;

/** What is known of the account that a login names, whether or not it exists. */
export type AccountFacts = Readonly<{
  /** In lower case. */
  name: string;
  /** Whether it signed in from this address lately, or from a neighbour of it. */
  kinship: "address" | "network" | "stranger";
  /**
   * Different passwords tried by those whom it does not know, within the window: wrong ones, refused ones, and those
   * whose verification has not ended; of each network no more than its share. For kinship `network`: all by this
   * network, and by it alone. No more than the limit is counted.
   */
  guesses: number;
  /** Hash of the password of its last sign-in; empty where there was none. */
  lastProof: string;
}>;

/** What a report of Fail2ban is weighed against; of any other event nothing. */
export type PriorReports = Readonly<{
  /** Offences up to here were judged before: by a report of the same jail, or by a ban of the address or around it. Null: none. */
  upTo: Millis | null;
  /**
   * Different passwords that failed from there in the time of the report, or were refused unheard: at most two. Empty
   * text where unknown, which comes last.
   */
  passwords: readonly string[];
  /**
   * When what the guard did not judge as it happened was done, within the jail's window: told by this report, and by
   * earlier ones of the jail that did not suffice.
   */
  unjudged: readonly Millis[];
}>;

/** What is known of a mail with an empty sender when it names a recipient; of any other event nothing. */
export type BounceFacts = Readonly<{
  /** It has named a different recipient before. */
  hasOther: boolean;
  /** The recipient wrote to the domain that the client belongs to. */
  isExpected: boolean;
}>;

/** How many of all connections and sign-ins lately came from one private address, and by how many different names. */
export type ClientShare = Readonly<{ events: number; total: number; names: number }>;

/** What forbids a ban of a network depends on. */
export type SparingFacts = Readonly<{
  /** What stands on it, or on a part of it: this machine, its gateway, the allow lists. */
  protection: Protection | null;
  /** When administrators last used the dashboard or the API from within it. */
  administratorsAt: readonly Millis[];
  /** Private addresses within it. */
  clients: readonly ClientShare[];
  /** When an event last told that it was spared. */
  sparedAt: Millis | null;
}>;

/** What the units of one network did together, but for the event that is decided now. */
export type Neighbourhood = Readonly<{
  /** The ban that stands on the network, or around it. */
  ban: Ban | null;
  /** When bans of the network itself began. */
  offencesAt: readonly Millis[];
  /** When the last of them began or ended; 0 where there was none. */
  settledAt: Millis;
  /** Other units with a ban that counts (neighbours.ts). */
  offenders(since: Millis, besides: Prefix): number;
  /** Other wrong passwords that came out of it, each counted once an account. */
  guesses(since: Millis, besides: Readonly<{ account: string; proof: string }>): number;
  /** Units with a ban for any offence. */
  banned(since: Millis): readonly Prefix[];
  /** Units that honest mail speaks for. */
  servers(since: Millis): readonly HonestServer[];
  /** Units, here and elsewhere, from which accounts signed in. */
  signIns(since: Millis): readonly Prefix[];
}>;

/**
 * What is known of the address an event is about, this event not included. Times ascend. Each is looked up when it is
 * read, so that a decision costs no more than what it looks at.
 */
export type Facts = Readonly<{
  /** The unit in which the address is counted and would be banned. */
  subject: Prefix;
  ip: Ip;
  /** The subject and its neighbours. */
  network: Prefix;
  protection: Protection | null;
  /** An account signed in from here within the memory. */
  known: boolean;
  ban: Ban | null;
  /** Offences within the memory. */
  offences: number;
  connections: readonly Millis[];
  mails: readonly Millis[];
  failures: readonly Failure[];
  /** Accounts that signed in from here within the memory, in lower case, where the event is a login. */
  knownAccounts: readonly string[];
  /** Null where the event is no login to a mailbox. */
  account: AccountFacts | null;
  /** Recipients asked for that do not exist, by mail that has a sender. */
  probes: readonly Millis[];
  /** The same by mail without a sender, as reports of failed delivery are. */
  bounces: readonly Millis[];
  bounce: BounceFacts;
  /** From where the account may sign in that a login names; empty: from anywhere. */
  accountNetworks: readonly Prefix[];
  /** Whether the account that sends may still sign in; true where none does. */
  accountActive: boolean;
  /** Mails of the account that sends, when one is signed in. */
  accountMails: readonly Millis[];
  /** Whether mail from here is known to be wanted (honest-mail.ts). */
  isWanted: boolean;
  /** Mails that this connection has brought. */
  sessionMails: number;
  /** Whether the sender's address names this machine by an address of its own, where the event names one. */
  senderHere: boolean;
  /** Of the recipient, where the event names one. */
  recipient: RecipientKind;
  /** Whether sender, client and recipient are strangers to each other, so that greylisting makes sense. */
  firstContact: boolean;
  /** Recipients of the mail of an account, once all of it has arrived. */
  writtenTo: readonly string[];
  priorReports: PriorReports;
  /** What may forbid the ban of this network. */
  sparing(network: Prefix): SparingFacts;
  /** Of `network`. */
  neighbourhood(): Neighbourhood;
}>;

/** Whom a ban is for, and which rung of the ladder it takes. */
export type Offender = Pick<Facts, "subject" | "ip" | "offences">;

export const NO_BOUNCE: BounceFacts = { hasOther: false, isExpected: false };
export const NO_PRIOR_REPORTS: PriorReports = { upTo: null, passwords: [], unjudged: [] };
