import type { Guess } from "../core/decide/account-guard.ts";
import type { Ban, Change } from "../core/decide/decision.ts";
import type { Failure, PriorReports } from "../core/decide/facts.ts";
import type { HonestServer } from "../core/decide/honest-mail.ts";
import type { LogPosition } from "../core/events/log-position.ts";
import type { EventRecord } from "../core/events/record.ts";
import type { JailReported } from "../core/events/report.ts";
import type { Prefix } from "../core/net/ip.ts";
import type { Millis } from "../core/time.ts";
import type { AddressReport, BanItem, EventItem } from "../wire/control/items.ts";
import type { Page, PageRequest } from "../wire/control/paging.ts";
import type { Figures } from "./figures.ts";
import type { BanStep, FirewallBan } from "./network-ports.ts";

/** What the engine keeps in `engine.db`, and reads of it. Each is named for the need; `adapters/sqlite` fulfils them. */

/**
 * The writer of `engine.db`. All rows and changes of one turn of the event loop lie between `begin` and `commit`.
 * Each method throws when the database is full, locked or damaged; `rollback` never throws.
 */
export interface Store {
  begin(): void;
  commit(): void;
  rollback(): void;
  /** Returns the id of the row. */
  append(record: EventRecord): number;
  apply(change: Change, at: Millis): void;
}

/** What the database remembers of one address, for the windows in memory to start from. Times ascend. */
export type AddressHistory = Readonly<{
  /** The ban in force that covers it: its own, or that of a wider network around it. */
  ban: Ban | null;
  /** When automatic bans that still count began. */
  offencesAt: readonly Millis[];
  /** Last sign-in of an account from here; null if none. */
  knownAt: Millis | null;
  /** Counted events since the last ban began or was lifted. */
  connections: readonly Millis[];
  mails: readonly Millis[];
  failures: readonly Failure[];
  probes: readonly Millis[];
  bounces: readonly Millis[];
}>;

/** How far back to look, and how many times to keep, for windows to be exact. */
export type Reach = Readonly<{
  sinceConnections: Millis;
  sinceMails: Millis;
  sinceFailures: Millis;
  sinceProbes: Millis;
  most: number;
}>;

/** From where an account signed in: the unit of the address, and the hash of the password, empty where unknown. */
export type SignIn = Readonly<{ prefix: Prefix; proof: string }>;
/** `network`: only guesses from there; null from anywhere. */
export type GuessReach = Readonly<{ network: Prefix | null; since: Millis; most: number }>;

/** What is remembered of accounts, by their names in lower case. Sees the rows of the open transaction too. */
export interface AccountHistory {
  /** The latest first. */
  signIns(account: string, since: Millis): readonly SignIn[];
  /** What strangers tried, the latest first. */
  guesses(account: string, reach: GuessReach): readonly Guess[];
  /** Accounts that signed in from this unit. */
  accountsOf(subject: Prefix, since: Millis): readonly string[];
  /** Units from which any account signed in. */
  networksSince(since: Millis): readonly Prefix[];
}

/** What neighbours did together. Sees the rows of the open transaction too. */
export interface NetworkHistory {
  /** Units within the network, besides this one, that were banned for guessing or abuse that the engine judged, but for the forgiven. */
  offenders(network: Prefix, since: Millis, besides: Prefix): number;
  /** Units within it that were banned for any offence, but for the forgiven; some at least. */
  banned(network: Prefix, since: Millis): readonly Prefix[];
  /** When the last ban of the network itself began or ended; 0 where there was none. */
  settledAt(network: Prefix, now: Millis): Millis;
  /** Wrong passwords besides this one, each counted once an account. */
  guessesFrom(network: Prefix, since: Millis, besides: Readonly<{ account: string; proof: string }>): number;
}

/** Whose mail was good. Days are counted whole. Sees the rows of the open transaction too. */
export interface HonestMail {
  /** What speaks for this unit; null where nothing does. `network`: the neighbourhood that it lies in. */
  server(unit: Prefix, network: Prefix, since: Millis): HonestServer | null;
  /** Units of the network that anything speaks for. */
  servers(network: Prefix, since: Millis, most: number): readonly HonestServer[];
  /** Whether an account has written to this address. */
  hasWrittenTo(address: string): boolean;
}

/** Sees the rows of the open transaction too. */
export interface History {
  address(prefix: Prefix, reach: Reach): AddressHistory;
  accountMails(account: string, since: Millis, most: number): readonly Millis[];
  /** The ban in force on exactly this network. */
  ban(prefix: Prefix): Ban | null;
  /** Bans in force on the network or within it. */
  bansWithin(prefix: Prefix): readonly Ban[];
  allowed(): readonly AllowEntry[];
}

/** `expiresAt` null: until it is taken off. */
export type AllowEntry = Readonly<{
  prefix: Prefix;
  note: string;
  by: string;
  at: Millis;
  expiresAt: Millis | null;
}>;

/** What was judged of Fail2ban's reports before, and what else failed at that time. Throws as `History` does. */
export interface JailMemory {
  priorReports(subject: Prefix, report: JailReported, now: Millis): PriorReports;
}

/** What the engine has read of logs. Throws when the database cannot be read. */
export interface LogPositions {
  /** Null: the log was never read. */
  positionOf(log: string): LogPosition | null;
}

export interface BanLog {
  /** The last step committed; 0 before the first. */
  last(): number;
  /** At most `most` steps after `id`, oldest first. */
  after(id: number, most: number): readonly BanStep[];
  active(now: Millis): readonly FirewallBan[];
  /** Prefixes whose ban is over but still stands in the table. */
  expired(now: Millis, most: number): readonly Prefix[];
}

/**
 * `next`: the id to go on from, as `before` or `after`; null where there are no more. A page may have fewer events than were
 * asked for, even none, and yet a `next`: nothing looks for a page longer than some milliseconds.
 */
export type EventPage = Readonly<{ items: readonly EventItem[]; next: number | null }>;

export type EventFilter = Readonly<{
  /** Only ids above this. */
  after?: number;
  /** Only ids below this. */
  before?: number;
  /** A single address or a network. */
  prefix?: Prefix;
  type?: string;
  /** What an account did, what came for it, and what was changed about it. */
  account?: string;
  /** A queue id, or a Message-ID without its angle brackets. */
  mail?: string;
  most: number;
  order: "oldest_first" | "newest_first";
}>;

/** Reads `engine.db` for people: from the web and the command line, never from the guard's hot path. */
export interface Queries {
  /** Those in force, the newest first. The cursor is a whole number. */
  bans(now: Millis, asked: PageRequest): Page<BanItem>;
  events(filter: EventFilter): EventPage;
  address(prefix: Prefix, now: Millis, memoryMs: number): AddressReport;
  readonly figures: Figures;
}
