import type { DatabaseSync } from "node:sqlite";
import type { Ban, Change } from "../../../core/decide/decision.ts";
import type { PriorReports } from "../../../core/decide/facts.ts";
import type { LogPosition } from "../../../core/events/log-position.ts";
import type { EventRecord } from "../../../core/events/record.ts";
import type { JailReported } from "../../../core/events/report.ts";
import { isSingleAddress, type Prefix } from "../../../core/net/ip.ts";
import type { Millis } from "../../../core/time.ts";
import type {
  AddressHistory,
  AllowEntry,
  History,
  JailMemory,
  LogPositions,
  Reach,
  Store,
} from "../../../engine/ports.ts";
import { integer, millis, millisOrNull, prefix as prefixColumn, text } from "../columns.ts";
import { BanLengths } from "./ban-lengths.ts";
import { readBan } from "./ban-row.ts";
import { valuesOf } from "./event-columns.ts";
import { EventCount } from "./event-count.ts";
import { EventIndex } from "./event-index.ts";
import { SqliteHonestMail } from "./honest-mail.ts";
import { JailReports } from "./jail-reports.ts";
import { boundsOf } from "./network-bounds.ts";
import { prepareStore, type StoreStatements } from "./store-statements.ts";
import { type Stretch, WindowReader } from "./window-reader.ts";

/**
 * The guard's own connection to `engine.db`. The hot path: every statement is prepared once, and an address never
 * seen before costs a single one.
 */
export class SqliteStore implements Store, History, JailMemory, LogPositions {
  readonly #db: DatabaseSync;
  readonly #events: EventCount;
  readonly #index: EventIndex;
  readonly #windows: WindowReader;
  readonly #allWindows: WindowReader;
  readonly #banLengths: BanLengths;
  readonly #jails: JailReports;
  readonly #honest: SqliteHonestMail;
  readonly #sql: StoreStatements;
  #refusal: string | null = null;

  constructor(db: DatabaseSync, events: EventCount = new EventCount(db)) {
    this.#db = db;
    this.#events = events;
    this.#index = new EventIndex(db);
    this.#windows = new WindowReader(db, "event_subject");
    this.#allWindows = new WindowReader(db, "event_by_subject");
    this.#banLengths = new BanLengths(db);
    this.#jails = new JailReports(db);
    this.#honest = new SqliteHonestMail(db);
    this.#sql = prepareStore(db);
  }

  /** As if the disk were full, for as long as there is a reason to. */
  refuse(why: string | null): void {
    this.#refusal = why;
  }

  begin(): void {
    if (this.#refusal !== null) throw new Error(this.#refusal);
    // A rollback that failed while the disk was full leaves its transaction open.
    if (this.#db.isTransaction) this.rollback();
    this.#sql.begin.run();
  }

  commit(): void {
    if (this.#index.isFull) this.#index.settle();
    this.#sql.commit.run();
    this.#events.commit();
    this.#index.ended(true);
  }

  positionOf(log: string): LogPosition | null {
    const row = this.#sql.logPosition.get(log);
    return row === undefined ? null : { inode: text(row["inode"]), offset: integer(row["offset"]) };
  }

  priorReports(subject: Prefix, report: JailReported, now: Millis): PriorReports {
    return this.#jails.priorReports(subject, report, now);
  }

  /** Lets no event wait for its index longer than need be. Between transactions; throws as they do. */
  settle(): void {
    if (this.#index.isEmpty) return;
    this.begin();
    try {
      this.#index.settle();
      this.commit();
    } catch (error) {
      this.rollback();
      throw error;
    }
  }

  rollback(): void {
    this.#events.rollback();
    this.#index.ended(false);
    try {
      // On a full disk SQLite has often rolled back already.
      if (this.#db.isTransaction) this.#sql.rollback.run();
    } catch {
      // `begin` tries again; until then nothing is committed, which is all that a rollback promises.
    }
  }

  append(record: EventRecord): number {
    const written = this.#sql.append.run(...valuesOf(record));
    this.#events.add(1);
    this.#index.add(record.prefix, record.counts === "account_mail" ? record.account : null);
    return Number(written.lastInsertRowid);
  }

  apply(change: Change, at: Millis): void {
    switch (change.type) {
      case "BAN":
        return this.#ban(change.ban, at);
      case "LIFT":
        return this.#lift(change, at);
      case "KNOW":
        this.#sql.know.run(change.prefix, change.account, at, at, change.proof);
        return;
      case "GUESS":
        this.#sql.guess.run(change.account, change.network, change.proof, at);
        return;
      case "FORGET_GUESSES":
        this.#sql.forgetGuesses.run(change.account);
        return;
      case "CORRESPOND":
        this.#sql.correspond.run(change.address, change.account, at);
        return;
      case "SPARE":
        return;
      case "READ_LOG":
        this.#sql.readLog.run(change.log, change.position.inode, change.position.offset);
        return;
      case "CREDIT":
        this.#honest.credit(change, at);
        return;
      case "NOTE_REPORT":
        this.#jails.hear(change, at);
        return;
      case "ALLOW":
        this.#sql.allow.run(change.prefix, change.note, change.by, at, change.expiresAt);
        return;
      case "DISALLOW":
        this.#sql.disallow.run(change.prefix);
        return;
    }
  }

  address(prefix: Prefix, reach: Reach): AddressHistory {
    const windows = this.#windowsFor(prefix);
    const seen = windows.seen(prefix);
    const bans = seen.bans ? this.#bansOf(prefix) : NO_BANS;
    const stretch = (since: Millis): Stretch => ({ since, after: bans.answered, most: reach.most });
    return {
      ...bans.facts,
      ban: bans.facts.ban ?? this.#banAround(prefix),
      knownAt: millisOrNull(seen.known),
      connections: seen.connections ? windows.times(prefix, "connection", stretch(reach.sinceConnections)) : NOTHING,
      mails: seen.mails ? windows.times(prefix, "mail", stretch(reach.sinceMails)) : NOTHING,
      probes: seen.probes ? windows.times(prefix, "probe", stretch(reach.sinceProbes)) : NOTHING,
      bounces: seen.bounces ? windows.times(prefix, "bounce", stretch(reach.sinceProbes)) : NOTHING,
      failures: seen.logins ? windows.failures(prefix, stretch(reach.sinceFailures)) : NOTHING,
    };
  }

  accountMails(account: string, since: Millis, most: number): readonly Millis[] {
    return this.#windowsFor(account).times(account, "account_mail", { since, after: 0, most });
  }

  ban(prefix: Prefix): Ban | null {
    const row = this.#sql.ban.get(prefix);
    return row === undefined ? null : readBan(row);
  }

  bansWithin(prefix: Prefix): readonly Ban[] {
    if (isSingleAddress(prefix)) {
      const ban = this.ban(prefix);
      return ban === null ? [] : [ban];
    }
    const { first, last } = boundsOf(prefix);
    return this.#sql.bansWithin.all(first, last, last).map(readBan);
  }

  allowed(): readonly AllowEntry[] {
    return this.#sql.allowed.all().map((row) => ({
      prefix: prefixColumn(row["prefix"]),
      note: text(row["note"]),
      by: text(row["by"]),
      at: millis(row["at"]),
      expiresAt: millisOrNull(row["expires_at"]),
    }));
  }

  /** Outside a transaction nothing is written: perhaps the database takes no writes just now. */
  #windowsFor(subject: string): WindowReader {
    if (!this.#index.hasWaiting(subject)) return this.#windows;
    if (!this.#db.isTransaction) return this.#allWindows;
    this.#index.settle();
    return this.#windows;
  }

  #banAround(prefix: Prefix): Ban | null {
    for (const network of this.#banLengths.around(prefix)) {
      const ban = this.ban(network);
      if (ban !== null) return ban;
    }
    return null;
  }

  #ban(ban: Ban, at: Millis): void {
    this.#banLengths.add(ban.prefix);
    const { first, last } = boundsOf(ban.prefix);
    this.#sql.endBan.run(at, "REPLACED", ban.source, 0, ban.prefix);
    this.#sql.insertBan.run(
      ban.prefix,
      first,
      last,
      ban.ip,
      ban.level,
      ban.code,
      ban.reason,
      ban.source,
      ban.createdAt,
      ban.expiresAt,
      ban.offences,
    );
    this.#sql.step.run(at, "add", ban.prefix, ban.expiresAt);
  }

  #lift(change: Extract<Change, { type: "LIFT" }>, at: Millis): void {
    const ended = this.#sql.endBan.run(at, change.cause, change.by, change.forgiven ? 1 : 0, change.prefix);
    if (ended.changes === 0) return;
    this.#sql.step.run(at, "delete", change.prefix, null);
    if (!change.forgiven || isSingleAddress(change.prefix)) return;
    const { first, last } = boundsOf(change.prefix);
    this.#sql.forgiveWithin.run(first, last, last, change.prefix);
  }

  /** All bans of the network, of which the newest tells from when on its events count anew. */
  #bansOf(prefix: Prefix): typeof NO_BANS {
    const rows = this.#sql.bansOf.all(prefix, MOST_BANS);
    const newest = rows[0];
    if (newest === undefined) return NO_BANS;
    const offencesAt = rows
      .filter((row) => integer(row["offences"]) > 0 && row["forgiven"] === 0)
      .map((row) => millis(row["created_at"]));
    return {
      facts: { ban: newest["ended_at"] === null ? readBan(newest) : null, offencesAt: offencesAt.reverse() },
      answered: integer(newest["answered"]),
    };
  }
}

/** More offences than any ladder has rungs. */
const MOST_BANS = 64;

const NOTHING: readonly never[] = [];

/** `answered`: the id of the last event that the newest ban, or its end, has settled. */
const NO_BANS: { readonly facts: Pick<AddressHistory, "ban" | "offencesAt">; readonly answered: number } = {
  facts: { ban: null, offencesAt: NOTHING },
  answered: 0,
};
