import type { DatabaseSync } from "node:sqlite";
import type { Ban, Change, LogPosition } from "../../core/decide/decision.ts";
import type { PriorReports } from "../../core/decide/facts.ts";
import type { EventRecord } from "../../core/events/event.ts";
import type { WaitingRecipient } from "../../core/events/log.ts";
import type { JailReported } from "../../core/events/report.ts";
import { hostPrefix, type Ip, type Prefix } from "../../core/net/ip.ts";
import { DAY_MS, later, type Millis } from "../../core/time.ts";
import type {
  AddressHistory,
  AllowEntry,
  BansInForce,
  History,
  HistoryReach,
  JailMemory,
  LogPositions,
  QueuedMail,
  Store,
} from "../../guard/storage-ports.ts";
import { integer, millis, millisOrNull, prefix as prefixColumn, rowReader, text } from "../columns.ts";
import { EventCount } from "../events/event-ids.ts";
import { EventIndex } from "../events/event-index.ts";
import { EventWriter } from "../events/event-writer.ts";
import { BUSY_TIMEOUT_MS, isLocked } from "../open.ts";
import { prepared } from "../transactions.ts";
import { NO_BANS, sqliteBanTable } from "./ban-table.ts";
import { sqliteMailChanges } from "./held-mail.ts";
import { sqliteHonestMail } from "./honest-mail.ts";
import { sqliteJailReports } from "./jail-reports.ts";
import { sqliteQueuedMail } from "./queued-mail.ts";
import { type Stretch, sqliteWindowReader } from "./window-reader.ts";

/**
 * The guard's own connection to `engine.db`. On the hot path every statement is prepared once. A new address costs one
 * query, and one more for each prefix length of banned networks.
 */
export class SqliteStore implements Store, History, BansInForce, JailMemory, QueuedMail, LogPositions {
  readonly #db: DatabaseSync;
  readonly #events: EventCount;
  readonly #writer: EventWriter;
  readonly #index: EventIndex;
  readonly #indexedWindows;
  readonly #allWindows;
  readonly #bans;
  readonly #jails;
  readonly #honest;
  readonly #applyMailChange;
  readonly #waitingRecipients;
  readonly #sql;
  #refusal: string | null = null;
  #busyTimeoutMs = BUSY_TIMEOUT_MS;

  constructor(db: DatabaseSync, events: EventCount = new EventCount(db)) {
    this.#db = db;
    this.#events = events;
    this.#writer = new EventWriter(db);
    this.#index = new EventIndex(db);
    this.#indexedWindows = sqliteWindowReader(db, "event_subject");
    // A view that adds the events that `EventIndex` has not taken yet.
    this.#allWindows = sqliteWindowReader(db, "event_by_subject");
    this.#jails = sqliteJailReports(db);
    this.#honest = sqliteHonestMail(db);
    this.#applyMailChange = sqliteMailChanges(db);
    this.#waitingRecipients = sqliteQueuedMail(db);
    this.#sql = prepared(db, SQL);
    this.#bans = sqliteBanTable(db);
  }

  /** Fails each transaction as on a full disk, until the reason is null. */
  refuseWrites(why: string | null): void {
    this.#refusal = why;
  }

  begin(): void {
    if (this.#refusal !== null) throw new Error(this.#refusal);
    // A rollback that failed on a full disk leaves its transaction open.
    if (this.#db.isTransaction) this.rollback();
    try {
      this.#sql.begin.run();
    } catch (error) {
      // Another program holds the lock: the next attempts, once a second, do not wait.
      if (isLocked(error)) this.#waitFor(0);
      throw error;
    }
    this.#waitFor(BUSY_TIMEOUT_MS);
    this.#writer.begin();
  }

  commit(): void {
    this.#writer.finish();
    if (this.#index.isFull) this.#index.addWaiting();
    this.#sql.commit.run();
    this.#writer.ended(true);
    this.#events.commit();
    this.#index.ended(true);
  }

  positionOf(log: string): LogPosition | null {
    const row = this.#sql.logPosition.get(log);
    return row === undefined ? null : { inode: text(row["inode"]), offset: integer(row["offset"]) };
  }

  priorReports(prefix: Prefix, report: JailReported, now: Millis): PriorReports {
    this.#writer.write();
    return this.#jails.priorReports(prefix, report, now);
  }

  waitingRecipients(queueId: string): readonly WaitingRecipient[] {
    this.#writer.write();
    return this.#waitingRecipients(queueId);
  }

  /** Adds waiting events to their index. Call it between transactions. Throws if the database cannot be written. */
  indexWaiting(): void {
    if (this.#index.isEmpty) return;
    this.begin();
    try {
      this.#index.addWaiting();
      this.commit();
    } catch (error) {
      this.rollback();
      throw error;
    }
  }

  rollback(): void {
    this.#writer.ended(false);
    this.#events.rollback();
    this.#index.ended(false);
    try {
      // On a full disk SQLite has often rolled back already.
      if (this.#db.isTransaction) this.#sql.rollback.run();
    } catch {
      // `begin` tries again. Until then nothing is committed, which is what a rollback promises.
    }
  }

  append(record: EventRecord): number {
    const id = this.#writer.add(record);
    this.#events.add(1);
    this.#index.add(record);
    return id;
  }

  lastId(): number {
    return this.#writer.lastId;
  }

  apply(change: Change, at: Millis): void {
    this.#writer.write();
    switch (change.type) {
      case "BAN":
        return this.#bans.add(change.ban, at);
      case "LIFT":
        return this.#bans.lift(change, at);
      case "END_SIMULATION":
        return this.#bans.endSimulation(at);
      case "KNOW":
        this.#sql.know.run(change.prefix, change.account, at, at, change.passwordHash);
        this.#sql.keepPlaces.run(change.account, later(at, -DAY_MS), MOST_PLACES);
        return;
      case "FORGET_PLACES":
        this.#sql.forgetPlaces.run(change.account, change.since ?? 0);
        return;
      case "GUESS":
        this.#sql.guess.run(change.account, change.network, change.passwordHash, at, change.isStale ? 1 : 0);
        return;
      case "SET_PASSWORD":
        this.#sql.setPassword.run(change.account, change.passwordHash);
        return;
      case "FORGET_GUESSES":
        if (change.account === null) this.#sql.forgetAllGuesses.run();
        else this.#sql.forgetGuesses.run(change.account);
        return;
      case "SPARE":
        return;
      case "READ_LOG":
        this.#sql.readLog.run(change.log, change.position.inode, change.position.offset);
        return;
      case "CREDIT":
        return this.#honest.credit(change, at);
      case "NOTE_REPORT":
        return this.#jails.note(change, at);
      case "ALLOW":
        this.#sql.allow.run(change.prefix, change.note, change.by, at, change.expiresAt);
        return;
      case "DISALLOW":
        this.#sql.disallow.run(change.prefix);
        return;
      default:
        return this.#applyMailChange(change, at);
    }
  }

  address(prefix: Prefix, reach: HistoryReach): AddressHistory {
    const windows = this.#windowsFor(prefix);
    const stored = windows.stored(prefix, reach.place ?? prefix);
    const bans = stored.bans ? this.#bans.of(prefix) : NO_BANS;
    const stretch = (since: Millis): Stretch => ({ since, after: bans.countsAfter, most: reach.most });
    // A ban resets all counts except those of wrong passwords over a day or a week, which lose only what was forgiven.
    const wrong: Stretch = { since: reach.sinceFailures, after: bans.forgivenUpTo, most: reach.mostFailures };
    return {
      ...bans.facts,
      ban: this.#bans.strongest(prefix, bans.facts.ban),
      knownAt: stored.knownAt,
      connections: stored.connections ? windows.times(prefix, "connection", stretch(reach.sinceConnections)) : NOTHING,
      mails: stored.mails ? windows.times(prefix, "mail", stretch(reach.sinceMails)) : NOTHING,
      probes: stored.probes ? windows.times(prefix, "probe", stretch(reach.sinceProbes)) : NOTHING,
      bounces: stored.bounces ? windows.times(prefix, "bounce", stretch(reach.sinceProbes)) : NOTHING,
      failures: stored.logins ? windows.failures(prefix, wrong, bans.countsAfter) : NOTHING,
    };
  }

  ban(prefix: Prefix): Ban | null {
    return this.#bans.ban(prefix);
  }

  bansWithin(prefix: Prefix): readonly Ban[] {
    return this.#bans.within(prefix);
  }

  /** Whether a real ban of the address, or of a network around it, is in force. */
  isBanned(address: Ip, now: Millis): boolean {
    return this.#bans.isBanned(hostPrefix(address), now);
  }

  allowEntries(): readonly AllowEntry[] {
    return this.#sql.allowed.all().map(allowEntry);
  }

  /** Sets how long all statements of this connection wait for another connection's lock. */
  #waitFor(busyTimeoutMs: number): void {
    if (busyTimeoutMs === this.#busyTimeoutMs) return;
    this.#busyTimeoutMs = busyTimeoutMs;
    this.#db.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`);
  }

  /** Writes nothing outside a transaction, because the database may not be writable. */
  #windowsFor(subject: string): ReturnType<typeof sqliteWindowReader> {
    if (!this.#index.hasWaiting(subject)) return this.#indexedWindows;
    if (!this.#db.isTransaction) return this.#allWindows;
    this.#writer.write();
    this.#writer.keepingFailure(() => this.#index.addWaiting());
    return this.#indexedWindows;
  }
}

const NOTHING: readonly never[] = [];

const allowEntry = rowReader({ prefix: prefixColumn, note: text, by: text, at: millis, expiresAt: millisOrNull });

/**
 * Maximum places of an account, of which the latest are kept: a user with an IPv6 site can sign in from 65,536, and decisions read
 * them all. Places known for less than a day have their own maximum, so that a thief's do not displace the user's.
 */
const MOST_PLACES = 1_000;

const SQL = {
  begin: "BEGIN IMMEDIATE",
  commit: "COMMIT",
  rollback: "ROLLBACK",
  know: `
    INSERT INTO known_address (prefix, account, first_at, last_at, proof) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET last_at = max(last_at, excluded.last_at), proof = excluded.proof`,
  keepPlaces: `
    DELETE FROM known_address WHERE (prefix, account) IN (
      SELECT prefix, account FROM (
        SELECT prefix, account, row_number() OVER (PARTITION BY first_at <= ?2 ORDER BY last_at DESC) AS nth
        FROM known_address WHERE account = lower(?1))
      WHERE nth > ?3)`,
  forgetPlaces: "DELETE FROM known_address WHERE account = lower(?) AND first_at >= ?",
  guess: `
    INSERT INTO guess (account, network, proof, at, is_stale) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET at = excluded.at, is_stale = excluded.is_stale`,
  setPassword: `
    INSERT INTO account_password (account, proof) VALUES (?, ?) ON CONFLICT DO UPDATE SET proof = excluded.proof`,
  forgetGuesses: "DELETE FROM guess WHERE account = ?",
  forgetAllGuesses: "DELETE FROM guess",
  readLog: `
    INSERT INTO log_position (log, inode, offset) VALUES (?, ?, ?)
    ON CONFLICT DO UPDATE SET inode = excluded.inode, offset = excluded.offset`,
  logPosition: "SELECT inode, offset FROM log_position WHERE log = ?",
  allow: `
    INSERT INTO allow_entry (prefix, note, by, at, expires_at) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET note = excluded.note, by = excluded.by, at = excluded.at, expires_at = excluded.expires_at`,
  disallow: "DELETE FROM allow_entry WHERE prefix = ?",
  allowed: "SELECT prefix, note, by, at, expires_at FROM allow_entry ORDER BY at, prefix",
};
