import type { Protection } from "../events/reasons.ts";
import type { Ip, Prefix } from "../net/ip.ts";
import { instant, type Millis } from "../time.ts";
import type { Ban, Evidence } from "./decision.ts";
import type { HonestServer } from "./honest-mail.ts";

/**
 * Facts about the address of an event, without this event. Times ascend. Each is looked up when it is read, so that
 * unused facts cost nothing.
 */
export type Facts = Readonly<{
  /** The client is counted, and would be banned, by this prefix. */
  prefix: Prefix;
  ip: Ip;
  /** The prefix and its neighbours. */
  network: Prefix;
  protection: Protection | null;
  /** An account signed in from here within `bans.memory`. */
  isKnown: boolean;
  ban: Ban | null;
  /** Offences within `bans.memory`, without the time under a ban. */
  offences: number;
  connections: readonly Millis[];
  mails: readonly Millis[];
  /** Within a week, except those that an administrator forgave. */
  failures: readonly FailedLogin[];
  /** Passwords from this address that are being verified and do not look right. */
  pending: readonly TriedPassword[];
  /** Accounts that know this address, in lower case: they signed in from it within `accounts.knownForMs`. */
  knownAccounts: readonly string[];
  /** Null if the event is not a login to a mailbox. */
  account: AccountFacts | null;
  /** Within `spraying.windowMs`. Counting stops at the limits. */
  spraying: SprayingFacts;
  /** Recipients asked for that do not exist, by mail that has a sender. */
  probes: readonly Millis[];
  /** The same by mail without a sender, such as bounces. */
  bounces: readonly Millis[];
  bounce: BounceFacts;
  /** Whether a stranger's mail named this mailbox with another extension before, or extensions of too many mailboxes. */
  hasOtherExtension: boolean;
  /** For mail with a sender: its recipient wrote to the sender's domain, and SPF (asked only about correspondents) proves the sender. */
  isAnswer: boolean;
  /** Unknown recipients that strangers anywhere asked for: by bounces if the event is one, else by other mail. */
  probesFromAnywhere: readonly Millis[];
  /** How many different unknown recipients strangers of this network asked for within the hour, plus those that bounces asked for. */
  namesProbed: number;
  /** When each prefix that made first contacts within the hour made its first one, and whether this prefix is among them. */
  firstContactsFromAnywhere: readonly Millis[];
  isAmongFirstContacts: boolean;
  /** The networks from which the account of the login may sign in; empty: anywhere. */
  accountNetworks: readonly Prefix[];
  /** Whether the account that sends or signs in may still sign in; true if there is none. */
  isAccountActive: boolean;
  /** Of the account that sends, when one is signed in. */
  sending: SendingFacts;
  /** Whether mail from here is known to be wanted (honest-mail.ts). */
  isWanted: boolean;
  /** Mails in this connection so far. */
  sessionMails: number;
  /** Recipients that the connection named since its last mail. */
  sessionRecipients: number;
  /** Whether the sender's address literal is an address of this machine, if the event has a sender. */
  isSenderHere: boolean;
  /** The kind of the recipient, if the event names one. */
  recipient: RecipientKind;
  /** Whether nothing vouches for sender or client, so that the mail is greylisted. It is not necessarily the client's first mail. */
  isFirstContact: boolean;
  /** Recipients of an account's mail, once the whole mail has arrived. */
  writtenTo: readonly string[];
  priorReports: PriorReports;
  /** What may forbid the ban of this network. */
  sparing(network: Prefix): SparingFacts;
  /** Of `network`. */
  neighbourhood(): Neighbourhood;
}>;

/** What a recipient is here. `blocked`: a common target of spam without an account here. */
export type RecipientKind = "exists" | "unknown" | "blocked";

/**
 * A failed login that counted. `account`: the typed login in lower case. `spent`: a ban followed it, so it counts only in
 * the windows of a day and a week.
 */
export type FailedLogin = Readonly<{ at: Millis; passwordHash: string; account: string; spent?: true }>;

/** A password that was tried. `account`: in lower case. */
export type TriedPassword = Readonly<{ account: string; passwordHash: string }>;

/** A password that is being verified: the event with its outcome has not arrived yet. */
export type PendingPassword = TriedPassword &
  Readonly<{
    at: Millis;
    /** The prefix of the client; records keep this name. */
    subject: Prefix;
    network: Prefix;
    /** The account does not know the address. */
    isStrange: boolean;
    /** The account has not signed in with this password recently. */
    looksWrong: boolean;
    /** The account has not signed in recently, so this password may be right. */
    isFirst: boolean;
  }>;

/** Facts about the account that a login names, whether or not it exists. */
export type AccountFacts = Readonly<{
  /** In lower case. */
  name: string;
  /** Whether it signed in recently from this address, or from a neighbouring one. */
  kinship: "address" | "network" | "stranger";
  /**
   * Different passwords tried within the window by clients that the account does not know, whether wrong, refused or still being verified;
   * at most a share for each network. For kinship `network`: all passwords from this network, and no others. Counts up to the limit.
   */
  guesses: number;
  /** Hashes of different passwords of its latest sign-ins, newest first. */
  passwordHashes: readonly string[];
  /**
   * Passwords tried within a day in new places, verified or refused: at most a share for each network, and at most the common share of
   * those beyond these shares. Counts up to the budget.
   */
  candidates: number;
  /** Candidates from the network of the address. Counts up to the network's share. */
  networkCandidates: number;
  /** Candidates of all networks beyond their shares. Counts up to the common share. */
  commonCandidates: number;
  /**
   * Different passwords that the network of the address tried within a day, including those in verification. For kinship
   * `network`: only at this account. Counts up to the limit.
   */
  networkGuesses: number;
}>;

/**
 * Different passwords tried at all accounts in new places, and the number of networks that they came from. Excludes passwords that looked
 * right, because a phone that carries an old password through many networks is not spraying.
 */
export type SprayingFacts = Readonly<{ guesses: number; networks: number }>;

/** What a Fail2ban report is weighed against; empty for other events. */
export type PriorReports = Readonly<{
  /** Offences up to here were decided on, by a report of the same jail or a ban of the address or a network around it; null if none. */
  upTo: Millis | null;
  /**
   * At most two different passwords from the address that failed or were refused without a check during the time of the report. An unknown
   * password is an empty text and comes last.
   */
  passwords: readonly string[];
  /**
   * Times of offences within the jail's window that the guard did not decide on as they happened: from this report, and
   * from earlier ones of the jail that were not enough for a ban.
   */
  unjudged: readonly Millis[];
}>;

/** Facts about a mail with an empty sender when it names a recipient. Empty for other events. */
export type BounceFacts = Readonly<{
  /** It named a different recipient before. */
  hasOther: boolean;
  /** The recipient wrote to the domain of the client. */
  isExpected: boolean;
}>;

/** Recipients of an account's mail: all, `written` (to whom it wrote before), and `strangers` (outside this server, to whom it did not). */
export type RecipientCounts = Readonly<{ recipients: number; written: number; strangers: number }>;
export type SentMail = RecipientCounts & Readonly<{ at: Millis }>;

/** Facts about the account that sends. */
export type SendingFacts = Readonly<{
  /** Mails that counted, in ascending order. */
  mails: readonly SentMail[];
  /** The recipients of this mail so far; at DATA all of them. At its end `strangers` includes those `again`, who may refuse it. */
  mail: RecipientCounts;
  /**
   * What the current recipient is. `local`: in a domain of this server. `again`: a stranger who was already counted for an unfinished mail
   * of the account, such as one that is retried after its upload broke off. The others are as in `RecipientCounts`.
   */
  recipient: "local" | "written" | "stranger" | "again";
  /** Why its mail is held; null while it is not. */
  holdEvidence: Evidence | null;
  /** When the owner of the server last vouched for it; 0: never. */
  vouchedAt: Millis;
  /** How many of its mails are on hold, while it is held. */
  heldMails: number;
  /** Whether this mail was already put on hold at DATA. */
  isMailHeld: boolean;
  /** Whether the account first signed in from this place after this moment, or never did. */
  isNewPlace(after: Millis): boolean;
  /** Strangers whose servers refused its mail permanently after this moment. */
  refused(since: Millis): number;
}>;

/** How many recent connections and sign-ins came from one private address, and with how many different names. */
export type ClientShare = Readonly<{ events: number; total: number; names: number }>;

/** The facts that may forbid a ban of a network. */
export type SparingFacts = Readonly<{
  /** What protects it or a part of it: this machine, its gateway, the allow lists. */
  protection: Protection | null;
  /** When administrators last used the dashboard or the API from it. */
  administratorsAt: readonly Millis[];
  /** Private addresses within it. */
  clients: readonly ClientShare[];
  /** When an event last said that it was spared. */
  sparedAt: Millis | null;
}>;

/** What the prefixes of one network did together, without the current event. */
export type Neighbourhood = Readonly<{
  /** The ban on the network, or on a wider one. */
  ban: Ban | null;
  /** When `bans.memory` starts for each ban of the network itself. */
  offencesAt: readonly Millis[];
  /** When the last of them started or ended; 0 if there was none. */
  settledAt: Millis;
  /** Other prefixes with a ban that counts (neighbours.ts). */
  offenders(since: Millis, besides: Prefix): number;
  /** Other wrong passwords from the network, each counted once per account. */
  guesses(since: Millis, besides: Readonly<{ account: string; passwordHash: string }>): number;
  /** Prefixes with a ban for any offence. */
  banned(since: Millis): readonly Prefix[];
  /** Prefixes with credit for honest mail. */
  servers(since: Millis): readonly HonestServer[];
  /** Whether an account signed in from it. */
  hasSignIns(since: Millis): boolean;
}>;

/** The target of a ban, and its rung on the ladder. */
export type Offender = Pick<Facts, "prefix" | "ip" | "offences">;

export const NO_RECIPIENTS: RecipientCounts = { recipients: 0, written: 0, strangers: 0 };
/** If no account sends. */
export const NO_SENDING: SendingFacts = {
  mails: [],
  mail: NO_RECIPIENTS,
  recipient: "written",
  holdEvidence: null,
  vouchedAt: instant(0),
  heldMails: 0,
  isMailHeld: false,
  isNewPlace: () => false,
  refused: () => 0,
};
export const NO_BOUNCE: BounceFacts = { hasOther: false, isExpected: false };
export const NO_PRIOR_REPORTS: PriorReports = { upTo: null, passwords: [], unjudged: [] };

/** A thief rarely has this many accounts, so an address that this many know is an office, a family or a school. */
const ACCOUNTS = 3;

/**
 * Whether several accounts know the address. One infected machine behind it must not lock everyone out, so limits that
 * count by address defer there and never ban.
 */
export function isShared({ isKnown, knownAccounts }: Facts): boolean {
  return isKnown && knownAccounts.length >= ACCOUNTS;
}
