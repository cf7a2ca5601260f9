import type { Guess, Shares } from "../core/decide/account-guard.ts";
import type { Ban, Change, Evidence } from "../core/decide/decision.ts";
import type { Failure, PriorReports, SentMail } from "../core/decide/facts.ts";
import type { HonestServer } from "../core/decide/honest-mail.ts";
import type { LogPosition } from "../core/events/log-position.ts";
import type { EventRecord } from "../core/events/record.ts";
import type { JailReported } from "../core/events/report.ts";
import type { Prefix } from "../core/net/ip.ts";
import type { Millis } from "../core/time.ts";
import type { AddressReport, EventItem } from "../wire/control/items.ts";
import type { Page, PageRequest } from "../wire/control/paging.ts";
import type { BanItem } from "../wire/verbs/bans.ts";
import type { Figures } from "./figures.ts";
import type { BanChanges, BanStep, FirewallBan } from "./network-ports.ts";

/**
 * What the engine stores in `engine.db` and reads from it. Each port is named for the need; `adapters/sqlite`
 * implements it.
 */

/**
 * The writer of `engine.db`. All rows and changes of one turn of the event loop lie between `begin` and `commit`. Each
 * method throws if the database is full, locked or damaged; `rollback` never throws.
 */
export interface Store {
  begin(): void;
  commit(): void;
  rollback(): void;
  /** Returns the id of the row. */
  append(record: EventRecord): number;
  apply(change: Change, at: Millis): void;
}

/** What the database knows of one address. The windows in memory start from it. Times ascend. */
export type AddressHistory = Readonly<{
  /** The ban in force on the address, or on a wider network around it. */
  ban: Ban | null;
  /** When the automatic bans began that still count. */
  offencesAt: readonly Millis[];
  /** The last sign-in of an account from this address; null if there was none. */
  knownAt: Millis | null;
  /** Those that count; but for what was forgiven. */
  failures: readonly Failure[];
  /** Counted events since the last ban began or was lifted. */
  connections: readonly Millis[];
  mails: readonly Millis[];
  probes: readonly Millis[];
  bounces: readonly Millis[];
}>;

/** Of an address of which nothing is known, or nothing can be read. */
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

/** How far back to look and how many times to keep, so that windows are exact. */
export type Reach = Readonly<{
  sinceConnections: Millis;
  sinceMails: Millis;
  sinceFailures: Millis;
  sinceProbes: Millis;
  most: number;
  mostFailures: number;
}>;

/** Where an account signed in: the unit of the address, and the hash of the password (empty if unknown). */
export type SignIn = Readonly<{ prefix: Prefix; proof: string }>;
export type AccountGuess = Guess & Readonly<{ account: string }>;
/** Later than `since`, and not later than `until`: a clock that ran ahead leaves guesses that lie ahead of now. */
export type TimeSpan = Readonly<{ since: Millis; until: Millis }>;
export type GuessSpan = TimeSpan & Readonly<{ most: number }>;
/** `share`: of each network. */
export type GuessShares = TimeSpan & Readonly<{ share: number }>;
/** `network`: only guesses from there; null from anywhere. */
export type GuessReach = GuessSpan & Readonly<{ network: Prefix | null }>;

/**
 * What is known of accounts, by name in lower case, and for guesses as `guessedName` shortens it. Includes the rows of the
 * open transaction.
 */
export interface AccountHistory {
  /** The latest first. */
  signIns(account: string, since: Millis): readonly SignIn[];
  /** Hash of the password that was set last, if it is known. */
  passwordProofs(account: string): readonly string[];
  /** Passwords that strangers tried, the latest first. */
  guesses(account: string, reach: GuessReach): readonly Guess[];
  /** Passwords that strangers tried at the account: all of them, so that the many of one network hide no other's. */
  candidates(account: string, shares: GuessShares): Shares;
  /** What a network tried at any account, the latest first. */
  guessesOf(network: Prefix, span: GuessSpan): readonly AccountGuess[];
  /**
   * What any network tried at any account and did not look right, the latest first; at most `most`, read as they are asked
   * for.
   */
  guessesSince(span: GuessSpan): Iterable<AccountGuess>;
  /** Accounts that signed in from this unit. */
  accountsOf(subject: Prefix, since: Millis): readonly string[];
  /** Units in the network from which any account signed in. What it costs does not grow with the others. */
  knownWithin(network: Prefix, since: Millis): readonly Prefix[];
  /** Units from which any account signed in. */
  networksSince(since: Millis): readonly Prefix[];
}

/** `evidence`: why the mail of an account is held; null while it is not. `vouchedAt`: when its owner last vouched for it; 0: never. */
export type HoldState = Readonly<{ evidence: Evidence | null; vouchedAt: Millis }>;

export type PlaceTimes = Readonly<{ before: Millis; since: Millis }>;

/** What accounts sent. Sees the rows of the open transaction too. */
export interface SendingHistory {
  /** Mails that counted, in ascending order; the newest where there are more than `most`. */
  sentMails(account: string, since: Millis, most: number): readonly SentMail[];
  hasWritten(account: string, address: string): boolean;
  /**
   * Whether the account signed in from here up to `before`, or its owner vouched after `since` for mail from here. Not by
   * sign-ins around mail that the owner dropped after `since`.
   */
  knowsPlace(account: string, place: Prefix, times: PlaceTimes): boolean;
  hold(account: string): HoldState;
  /** Recipients whose servers refused its mail for good after `since`, as far as that counts (`NOTE_REFUSAL`). */
  refusals(account: string, since: Millis): number;
}

/** What neighbouring addresses did together. Includes the rows of the open transaction. */
export interface NetworkHistory {
  /**
   * Other units in the network that were banned for guessing or abuse which the engine itself decided on. Forgiven bans
   * do not count.
   */
  offenders(network: Prefix, since: Millis, besides: Prefix): number;
  /** Units in the network that were banned for any offence, except forgiven ones. Not always all of them. */
  banned(network: Prefix, since: Millis): readonly Prefix[];
  /** When the last ban of the network itself began or ended; 0 if there was none. */
  settledAt(network: Prefix, now: Millis): Millis;
  /** Other wrong passwords, each counted once per account. */
  guessesFrom(network: Prefix, span: TimeSpan, besides: Readonly<{ account: string; proof: string }>): number;
}

/** Servers that sent good mail. Only whole days count. Includes the rows of the open transaction. */
export interface HonestMail {
  /** What speaks for this unit; null where nothing does. `network`: the neighbourhood that it lies in. */
  server(unit: Prefix, network: Prefix, since: Millis): HonestServer | null;
  /** Units of the network with any good mail. */
  servers(network: Prefix, since: Millis, most: number): readonly HonestServer[];
  /** Whether an account has written to this address. */
  hasWrittenTo(address: string): boolean;
}

/** Includes the rows of the open transaction. */
export interface History {
  address(prefix: Prefix, reach: Reach): AddressHistory;
  accountMails(account: string, since: Millis, most: number): readonly Millis[];
  /** The ban in force on exactly this network. */
  ban(prefix: Prefix): Ban | null;
  /** Bans in force on the network or within it. */
  bansWithin(prefix: Prefix): readonly Ban[];
  allowed(): readonly AllowEntry[];
}

/** `expiresAt` null: valid until it is removed. */
export type AllowEntry = Readonly<{
  prefix: Prefix;
  note: string;
  by: string;
  at: Millis;
  expiresAt: Millis | null;
}>;

/** What earlier reports of Fail2ban were decided on, and what else failed at that time. Throws as `History` does. */
export interface JailMemory {
  priorReports(subject: Prefix, report: JailReported, now: Millis): PriorReports;
}

/** How far the engine has read the logs. Throws if the database cannot be read. */
export interface LogPositions {
  /** Null: the log was never read. */
  positionOf(log: string): LogPosition | null;
}

export interface BanLog {
  /** The last step committed; 0 before the first. */
  last(): number;
  /** At most `most` steps after `id`, oldest first. */
  after(id: number, most: number): readonly BanStep[];
  /**
   * In force, read in pages as it is gone through; each time anew. A ban that changes meanwhile may come as it was or as it
   * is, or both, and has a step after the one that was last at the begin.
   */
  active(now: Millis): Iterable<FirewallBan>;
  /** Prefixes whose ban is over but still stands in the table. */
  expired(now: Millis, most: number): readonly Prefix[];
}

/**
 * `next`: the id to go on from, as `before` or `after`; null where there are no more. A page may have fewer events than were
 * asked for, even none, and yet a `next`: nothing looks for a page longer than some milliseconds. `searchedTo`: with a `next`,
 * the time of the last event that was looked at.
 */
export type EventPage = Readonly<{ items: readonly EventItem[]; next: number | null; searchedTo?: Millis }>;

export type EventFilter = Readonly<{
  /** Only ids above this, and below that. */
  after?: number;
  before?: number;
  /** A single address or a network. */
  prefix?: Prefix;
  /** Or any of several. */
  type?: string;
  types?: readonly string[];
  /** Only events of this time or later, and of that time or earlier. */
  from?: Millis;
  to?: Millis;
  /** Only events that are shown with this text, in large or small letters. */
  text?: string;
  /** What an account did, the mail it received, and changes to it. */
  account?: string;
  /** A queue id, or a Message-ID without its angle brackets. */
  mail?: string;
  most: number;
  order: "oldest_first" | "newest_first";
}>;

/** `text`: only bans that have it in their network, reason or source, in large or small letters. */
export type BansAsked = PageRequest & Readonly<{ text?: string }>;

/** Reads `engine.db` for the web and the command line, never for the guard's hot path. */
export interface Queries {
  /** Bans in force, the newest first. The cursor is a whole number. */
  bans(now: Millis, asked: BansAsked): Page<BanItem>;
  events(filter: EventFilter): EventPage;
  address(prefix: Prefix, now: Millis, memoryMs: number): AddressReport;
  /** By at most `most` steps after this one; null: only what the last step is. */
  banChanges(after: number | null, most: number): BanChanges;
  /** What the spam filter said in these events; those that an older version wrote are missing. */
  spamScores(ids: readonly number[]): ReadonlyMap<number, Readonly<{ score: number; required: number }>>;
  /** Names the database: with another, ids of events may have begun again. */
  name(): string;
  readonly figures: Figures;
}
