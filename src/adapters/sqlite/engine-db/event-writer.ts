import type { DatabaseSync, StatementSync } from "node:sqlite";
import { auditedOf } from "../../../core/audit/audited.ts";
import type { EventRecord } from "../../../core/events/record.ts";
import { AuditChain } from "./audit-chain.ts";
import { INSERT_EVENT, valuesOf } from "./event-columns.ts";
import { EventIds } from "./event-ids.ts";
import { EventMinutes } from "./event-minutes.ts";

/** A few mails of four events. More would outlive V8's young generation, and the guard would hold two megabytes more. */
const MOST_WAITING = 32;

/**
 * Writes events. Between two questions of Postfix other programs empty the processor's caches, and SQLite is a lot of code. So
 * some strangers' events wait until their transaction ends, or until something reads them, and are written together.
 * An event of an account is written at once, because several adapters read those. Audited events enter the chain,
 * and every event its minute's counts, in the same transaction.
 *
 * Readers trigger writes, and may ignore errors. So an error is stored and thrown again until the
 * transaction ends: it can only be lost as a whole, and no row is written twice.
 */
export class EventWriter {
  readonly #insert: StatementSync;
  readonly #audit: AuditChain;
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
    this.#audit = new AuditChain(db);
    this.#minutes = new EventMinutes(db);
    this.#lastId = new EventIds(db).last();
    this.#lastCommittedId = this.#lastId;
  }

  /** Returns the id of the event. Outside a transaction it is written at once. */
  add(record: EventRecord): number {
    this.#waiting.push(record);
    const audited = auditedOf(record);
    if (audited !== null) this.#audit.add(audited);
    this.#minutes.add(record);
    // SQLite continues from the highest id (sqlite.org/autoinc.html).
    this.#lastId += 1;
    if (!this.#isOpen || record.account !== null || this.#waiting.length >= MOST_WAITING) this.write();
    return this.#lastId;
  }

  /** Call it before anything reads or changes what depends on events, and before the commit. Throws if the disk is full. */
  write(): void {
    if (this.#failure !== null) throw this.#failure.error;
    if (this.#waiting.length > 0) this.heed(() => this.#insertAll());
  }

  /** Call it last, before the commit. Throws as `write` does. */
  finish(): void {
    this.write();
    this.heed(() => this.#minutes.write());
  }

  /** Does `work`, which writes for a reader. If it throws, so does each later write of the open transaction. */
  heed(work: () => void): void {
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
