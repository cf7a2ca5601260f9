import type { BanItem } from "../admin/bans.ts";
import type { AddressReport, EventItem } from "../admin/declare/items.ts";
import type { Page, PageRequest } from "../admin/declare/paging.ts";
import type { Guess, Shares } from "../core/decide/account-guard.ts";
import type { Ban, Change, Evidence, LogPosition } from "../core/decide/decision.ts";
import type { Facts, PriorReports, SentMail } from "../core/decide/facts.ts";
import type { HonestServer } from "../core/decide/honest-mail.ts";
import type { EventRecord } from "../core/events/event.ts";
import type { WaitingRecipient } from "../core/events/log.ts";
import type { JailReported } from "../core/events/report.ts";
import type { FirewallBan } from "../core/firewall/plan-firewall.ts";
import type { Prefix } from "../core/net/ip.ts";
import type { Millis } from "../core/time.ts";
import type { Figures } from "./figures.ts";
import type { BanChanges, BanStep } from "./network-ports.ts";

/**
 * What the engine stores in `engine.db` and reads from it. Each port is named for the need; `src/store/engine-db` implements
 * them, `Store` by `SqliteStore`.
 */

/**
 * The writer of `engine.db`. All rows and changes of a transaction are written between `begin` and `commit`. Each
 * method throws if the database is full, locked or damaged; `rollback` never throws.
 */
export interface Store {
  begin(): void;
  commit(): void;
  rollback(): void;
  /** Returns the id of the row. */
  append(record: EventRecord): number;
  /** The id of the newest row; 0 if there is none. */
  lastId(): number;
  apply(change: Change, at: Millis): void;
}

/** What the database knows about one address. Events count since the last ban started or was lifted. Times ascend. */
export type AddressHistory = Pick<Facts, "ban" | "failures" | "connections" | "mails" | "probes" | "bounces"> &
  Readonly<{
    /** When `bans.memory` starts for each automatic ban that still counts: at its end, moved later by the time banned since. */
    offencesAt: readonly Millis[];
    /** The last sign-in of an account from this address; null if there was none. */
    knownAt: Millis | null;
  }>;

/** For an address about which nothing is known or nothing can be read. */
export const NO_HISTORY: AddressHistory = {
  ban: null,
  offencesAt: [],
  knownAt: null,
  connections: [],
  mails: [],
  failures: [],
  probes: [],
  bounces: [],
};

/** How far back to read and how many times to keep, so that windows are exact. */
export type HistoryReach = Readonly<{
  /** The network in which sign-ins make the client known, if it is wider than the client's prefix. */
  place?: Prefix;
  sinceConnections: Millis;
  sinceMails: Millis;
  sinceFailures: Millis;
  sinceProbes: Millis;
  most: number;
  mostFailures: number;
}>;

/** Where an account signed in: the prefix of the address, and the hash of the password (empty if unknown). */
export type AccountSignIn = Readonly<{ prefix: Prefix; passwordHash: string }>;
export type AccountGuess = Guess & Readonly<{ account: string }>;
/** After `since`, up to and including `until`: a clock that ran ahead leaves future times. */
export type TimeSpan = Readonly<{ since: Millis; until: Millis }>;
/** Only the newest `most`. */
export type NewestSpan = TimeSpan & Readonly<{ most: number }>;
/** `share`: maximum for each network. */
export type GuessShares = TimeSpan & Readonly<{ share: number }>;
/** `network`: only guesses from this network; null for all. */
export type GuessReach = NewestSpan & Readonly<{ network: Prefix | null }>;

/**
 * What is known about accounts, by name in lower case, and for guesses as `guessedName` shortens it. Includes the rows of the
 * open transaction.
 */
export interface AccountHistory {
  /** Newest first. */
  signIns(account: string, since: Millis): readonly AccountSignIn[];
  /** Hash of the password that was set last, if known. */
  passwordHashes(account: string): readonly string[];
  /** Passwords that strangers tried, newest first. */
  guesses(account: string, reach: GuessReach): readonly Guess[];
  /** Counts all passwords that strangers tried at the account, so that many from one network don't hide those from others. */
  candidates(account: string, shares: GuessShares): Shares;
  /** Passwords that a network tried at any account, newest first. */
  guessesOf(network: Prefix, span: NewestSpan): readonly AccountGuess[];
  /**
   * Passwords from any network at any account that did not look right, newest first; at most `most`, read lazily.
   */
  guessesSince(span: NewestSpan): Iterable<AccountGuess>;
  accountsOf(prefix: Prefix, since: Millis): readonly string[];
  /** Whether any account signed in from the network. The cost does not depend on other networks. */
  isKnownWithin(network: Prefix, since: Millis): boolean;
  /** Prefixes from which any account signed in, latest first. */
  networksSince(since: Millis): readonly Prefix[];
}

/**
 * `evidence`: why the mail of an account is held; null while it is not. `vouchedAt`: when its owner last vouched for it, up to now; 0:
 * never. `mails`: how many are on hold, while it is held.
 */
export type HoldState = Readonly<{ evidence: Evidence | null; vouchedAt: Millis; mails: number }>;

export type PlaceTimes = Readonly<{ firstBy: Millis; decidedAfter: Millis }>;

/** What accounts sent. Includes the rows of the open transaction. */
export interface SendingHistory {
  /** Mails that counted, in ascending order; only the newest if there are more than `most`. */
  sentMails(account: string, span: NewestSpan): readonly SentMail[];
  hasWritten(account: string, address: string): boolean;
  /**
   * Whether the account's first sign-in from here was at or before `firstBy`, or its owner vouched after `decidedAfter` for mail from here.
   * Ignores sign-ins around mail that the owner dropped after `decidedAfter`.
   */
  knowsPlace(account: string, place: Prefix, times: PlaceTimes): boolean;
  holdOf(account: string, now: Millis): HoldState;
  /** Counted recipients whose servers refused its mail permanently within the span (`NOTE_REFUSAL`). */
  refusals(account: string, span: TimeSpan): number;
}

/** History of neighbouring addresses together. Includes the rows of the open transaction. */
export interface NetworkHistory {
  /**
   * Other prefixes in the network that were banned for guessing or abuse, by the engine's own decision. Forgiven bans
   * do not count. If there are very many, not all are counted.
   */
  offenders(network: Prefix, since: Millis, besides: Prefix): number;
  /** Prefixes in the network that were banned for any offence, except forgiven ones. Not always all of them. */
  banned(network: Prefix, since: Millis): readonly Prefix[];
  /** When the last ban of the network itself started or ended; 0 if there was none. */
  settledAt(network: Prefix, now: Millis): Millis;
  /** Other wrong passwords, each counted once per account. */
  guessesFrom(network: Prefix, span: TimeSpan, besides: Readonly<{ account: string; passwordHash: string }>): number;
}

/** Servers that sent good mail, by whole days, and addresses that accounts have written to. Includes the rows of the open transaction. */
export interface HonestMail {
  /** Evidence that this prefix is honest, or null. `network`: the neighbourhood that contains it. */
  server(prefix: Prefix, network: Prefix, since: Millis): HonestServer | null;
  /** Prefixes of the network with any good mail. */
  servers(network: Prefix, since: Millis, most: number): readonly HonestServer[];
  /** Whether any account has written to this address. */
  hasWrittenTo(address: string): boolean;
}

/** Domains to which accounts of this server have written. */
export interface Correspondents {
  /** Whether the recipient, or an account behind this alias, wrote to an address of one of these domains. */
  wroteTo(recipient: string, domains: readonly string[]): boolean;
}

export type GreylistPause = Readonly<{ target: string; until: Millis; by: string }>;

/** Recipients who currently wait for a stranger's mail. Writers throw if the database cannot be written. */
export interface GreylistPauses {
  pause(pause: GreylistPause): void;
  /** Returns false if there was none. */
  resume(target: string, now: Millis): boolean;
  pauses(now: Millis): readonly GreylistPause[];
  /** Whether there is a pause for the recipient, or for an address to which its mail goes. */
  isPaused(recipient: string, now: Millis): boolean;
}

/** Includes the rows of the open transaction. */
export interface History {
  address(prefix: Prefix, reach: HistoryReach): AddressHistory;
}

/** The allow list that was made by command; that of the settings is in `Policy`. Includes the rows of the open transaction. */
export interface AllowList {
  allowEntries(): readonly AllowEntry[];
}

/** Bans that apply now, and the allow list, which prevents them. Includes the rows of the open transaction. */
export interface BansInForce extends AllowList {
  /** The ban in force on exactly this network. */
  ban(prefix: Prefix): Ban | null;
  /** Bans in force on the network or within it. */
  bansWithin(prefix: Prefix): readonly Ban[];
}

/** `expiresAt` null: valid until it is removed. */
export type AllowEntry = Readonly<{ prefix: Prefix; note: string; by: string; at: Millis; expiresAt: Millis | null }>;

/** Earlier reports of Fail2ban with their decisions, and other failures at that time. Throws as `History` does. */
export interface JailMemory {
  priorReports(prefix: Prefix, report: JailReported, now: Millis): PriorReports;
}

/** Mail in Postfix's queue. Includes the rows of the open transaction. */
export interface QueuedMail {
  /** The recipients who do not have it yet; empty if no delivery attempt is known. */
  waitingRecipients(queueId: string): readonly WaitingRecipient[];
}

/** How far the engine has read the logs. Throws if the database cannot be read. */
export interface LogPositions {
  /** Null if the log was never read. */
  positionOf(log: string): LogPosition | null;
}

export interface BanLog {
  /** The last committed step; 0 before the first. */
  last(): number;
  /** At most `most` steps after `id`, oldest first. */
  after(id: number, most: number): readonly BanStep[];
  /**
   * Bans in force, read in pages during the iteration; each iteration reads again. A ban that changes during it may appear in
   * its old state, its new state or both, and has a step after the one that was last at the start.
   */
  active(now: Millis): Iterable<FirewallBan>;
  /** Prefixes whose ban has expired but was not ended in the database yet. */
  expired(now: Millis, most: number): readonly Prefix[];
}

/**
 * `next`: the id to continue from, as `before` or `after`; null on the last page. A page may have fewer events than
 * requested, even none, and still have a `next`: a search for a page ends after some milliseconds. `searchedTo`: with a `next`,
 * the time of the last event read.
 */
export type EventPage = Readonly<{ items: readonly EventItem[]; next: number | null; searchedTo?: Millis }>;

export type EventFilter = Readonly<{
  /** Only ids above `after` and below `before`. */
  after?: number | undefined;
  before?: number | undefined;
  /** A single address or a network. */
  prefix?: Prefix | undefined;
  /** Only events of these types. Empty: of any type. */
  types?: readonly string[] | undefined;
  /** Only events between these times, both included. */
  from?: Millis | undefined;
  to?: Millis | undefined;
  /** Only events that are shown with this text; ignores case. */
  text?: string | undefined;
  /** What an account did, the mail it received, and changes to it. */
  account?: string | undefined;
  /** A queue id, or a Message-ID without its angle brackets. */
  mail?: string;
  most: number;
  order: "oldest_first" | "newest_first";
}>;

/** `text`: only bans with this text in their network, reason or source; ignores case. */
export type BansAsked = PageRequest & Readonly<{ text?: string }>;

/** Which offences count towards the next ban: those within `bans.memory`, of one prefix (`prefixOf`). */
export type BanRules = Readonly<{ memoryMs: number; ipv6Prefix: number }>;

/** Reads `engine.db` for the web and the command line, never for the guard's hot path. */
export interface Queries {
  /** Bans in force, newest first. The cursor is a whole number. */
  bans(now: Millis, asked: BansAsked): Page<BanItem>;
  events(filter: EventFilter): EventPage;
  address(prefix: Prefix, now: Millis, bans: BanRules): AddressReport;
  /** Changes by at most `most` steps after this one; with null, only the number of the last step. */
  banChanges(after: number | null, most: number): BanChanges;
  /** Spam scores of these events; events that an older version wrote have none. */
  spamScores(ids: readonly number[]): ReadonlyMap<number, Readonly<{ score: number; required: number }>>;
  /** Identifies the database: in a different one, event ids may have started again. */
  name(): string;
  readonly figures: Figures;
}
