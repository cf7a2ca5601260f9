import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { auditedOf } from "../../core/audit/audited.ts";
import { type EventRecord, sentenceOf } from "../../core/events/event.ts";
import { COUNTS_CODE } from "../columns.ts";
import { sqliteAuditChain } from "./audit.ts";
import { sqliteEventIds } from "./event-ids.ts";
import { EventMinutes } from "./event-tally.ts";

/** A few mails of four events each. More would outlive V8's young generation and cost the guard two megabytes. */
const MOST_WAITING = 32;

/**
 * Writes events. Strangers' events wait until the transaction ends or something reads them, and are then written together, because
 * other programs evict SQLite's code from the CPU's caches between two questions of Postfix. An account's event is written at once,
 * because other readers look for it. The audit and the minute's counts are part of the transaction.
 *
 * The error of the first failed write, even one that a reader caused and ignored, is thrown again by each later write. The whole
 * transaction is then lost, and no row is written twice.
 */
export class EventWriter {
  readonly #insert: StatementSync;
  readonly #audit;
  readonly #minutes: EventMinutes;
  readonly #waiting: EventRecord[] = [];
  #isOpen = false;
  /** The error of a write in the open transaction. */
  #failure: Readonly<{ error: unknown }> | null = null;
  /** The newest event, written or waiting. */
  #lastId: number;
  #lastCommittedId: number;

  constructor(db: DatabaseSync) {
    this.#insert = db.prepare(INSERT_EVENT);
    this.#audit = sqliteAuditChain(db);
    this.#minutes = new EventMinutes(db);
    this.#lastId = sqliteEventIds(db).last();
    this.#lastCommittedId = this.#lastId;
  }

  /** Returns the id of the event. Outside a transaction it is written at once. */
  add(record: EventRecord): number {
    this.#waiting.push(record);
    const audited = auditedOf(record);
    if (audited !== null) this.#audit(audited);
    this.#minutes.add(record);
    // SQLite continues from the highest id (sqlite.org/autoinc.html).
    this.#lastId += 1;
    if (!this.#isOpen || record.account !== null || this.#waiting.length >= MOST_WAITING) this.write();
    return this.#lastId;
  }

  get lastId(): number {
    return this.#lastId;
  }

  /** Call it before anything reads or changes what depends on events, and before the commit. Throws if the disk is full. */
  write(): void {
    if (this.#failure !== null) throw this.#failure.error;
    if (this.#waiting.length > 0) this.keepingFailure(() => this.#insertAll());
  }

  /** Call it last, before the commit. Throws as `write` does. */
  finish(): void {
    this.write();
    this.keepingFailure(() => this.#minutes.write());
  }

  /** Does `work`, which writes what a reader is about to need. If it throws, so does each later write of the open transaction. */
  keepingFailure(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (this.#isOpen) this.#failure = { error };
      throw error;
    }
  }

  #insertAll(): void {
    try {
      for (const record of this.#waiting) this.#lastId = Number(this.#insert.run(...valuesOf(record)).lastInsertRowid);
    } finally {
      this.#waiting.length = 0;
    }
  }

  begin(): void {
    this.#isOpen = true;
  }

  ended(isCommitted: boolean): void {
    this.#isOpen = false;
    this.#failure = null;
    this.#waiting.length = 0;
    this.#minutes.ended(isCommitted);
    if (isCommitted) this.#lastCommittedId = this.#lastId;
    else this.#lastId = this.#lastCommittedId;
  }
}

/** In the order of a record's values. `details` and `action` are for people: later versions do not change them. */
export const EVENT_COLUMNS =
  "at, type, service, ip, prefix, account, sender, recipient, queue_id, message_id, helo, size_bytes, verdict, reason, " +
  "offence, counts, count, limit_count, window_ms, limit_key, actor, proof, rest, details, action";
const INSERT_EVENT = `INSERT INTO event (${EVENT_COLUMNS}) VALUES (${EVENT_COLUMNS.replaceAll(/\w+/g, "?")})`;

function valuesOf(record: EventRecord): readonly SQLInputValue[] {
  const { details, action } = sentenceOf(record);
  return [
    record.at,
    record.type,
    record.service,
    record.ip,
    record.prefix,
    record.account,
    record.sender,
    record.recipient,
    record.queueId,
    record.messageId,
    record.helo,
    record.sizeBytes,
    record.verdict,
    record.reason,
    record.offence,
    record.counts === null ? 0 : COUNTS_CODE[record.counts],
    record.count,
    record.limit,
    record.windowMs,
    record.limitKey,
    record.actor,
    record.proof,
    JSON.stringify(record.rest),
    details,
    action,
  ];
}
