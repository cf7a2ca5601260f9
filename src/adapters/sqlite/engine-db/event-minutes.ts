import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { EventRecord } from "../../../core/events/record.ts";
import { HOUR_MS, MINUTE_MS, WEEK_MS } from "../../../core/time.ts";
import { FIGURES_FOR_MS, MINUTES_FOR_MS, SENT, type Totals } from "../../../engine/figures.ts";
import { integer, text } from "../columns.ts";

/** Less than a millisecond of work, once a minute. */
const MOST_REMOVED = 200;

/**
 * Counts events in the transaction that writes them. `event_minute` has one row for each minute with events: the number of events
 * of each type since the database was created, up to the end of that minute. So the count between two times is the
 * difference of two rows, a row that retention removes takes no count with it, and a counter never falls. One statement a
 * commit, however many events it has.
 *
 * Rows are in the order of their ids, and so of their minutes, unless the machine's clock was set back.
 */
export class EventMinutes {
  readonly #insert: StatementSync;
  readonly #update: StatementSync;
  readonly #thin: StatementSync;
  readonly #forget: StatementSync;
  /** Including those of the open transaction. */
  readonly #totals: Record<string, number>;
  /** The counts of the open transaction. */
  readonly #added: string[] = [];
  #addedIn = 0;
  #row: Row;
  /** The row as it will be, once the open transaction is committed. */
  #next: Row;
  /** False until this process has checked every row: the guard may have been off for long. Later checks go back a week. */
  #isThinned = false;

  constructor(db: DatabaseSync) {
    this.#insert = db.prepare("INSERT INTO event_minute (minute, totals) VALUES (?, ?)");
    this.#update = db.prepare("UPDATE event_minute SET totals = ? WHERE id = ?");
    this.#thin = db.prepare(`
      DELETE FROM event_minute WHERE id IN (
        SELECT id FROM event_minute AS one WHERE minute >= ?2 AND minute < ?1 AND EXISTS (
          SELECT 1 FROM event_minute WHERE minute > one.minute AND minute < one.minute - one.minute % ${HOUR_MS} + ${HOUR_MS})
        LIMIT ${MOST_REMOVED})`);
    this.#forget = db.prepare(`
      DELETE FROM event_minute WHERE id IN (
        SELECT id FROM event_minute WHERE minute < (SELECT max(minute) FROM event_minute WHERE minute < ?) LIMIT ${MOST_REMOVED})`);
    const last = db.prepare("SELECT id, minute, totals FROM event_minute ORDER BY id DESC LIMIT 1").get();
    this.#totals = { ...readTotals(last?.["totals"] ?? "{}") };
    this.#row = last === undefined ? NONE : { id: integer(last["id"]), minute: integer(last["minute"]) };
    this.#next = this.#row;
  }

  add(record: EventRecord): void {
    for (const key of keysOf(record)) {
      this.#totals[key] = (this.#totals[key] ?? 0) + 1;
      this.#added.push(key);
    }
    this.#addedIn = record.at - (record.at % MINUTE_MS);
  }

  /** Call it before the commit. Throws if the database cannot be written. */
  write(): void {
    if (this.#added.length === 0) return;
    const totals = JSON.stringify(this.#totals);
    const minute = this.#addedIn;
    if (minute === this.#row.minute) return void this.#update.run(totals, this.#row.id);
    this.#next = { id: Number(this.#insert.run(minute, totals).lastInsertRowid), minute };
    // Whole hours, so that each hour keeps its last row.
    const until = minute - (minute % HOUR_MS) - MINUTES_FOR_MS;
    const { changes } = this.#thin.run(until, this.#isThinned ? until - WEEK_MS : 0);
    this.#isThinned = changes < MOST_REMOVED;
    // One row of the older minutes stays: the start of a later difference.
    this.#forget.run(minute - FIGURES_FOR_MS);
  }

  /** Call it after the transaction. */
  ended(isCommitted: boolean): void {
    if (isCommitted) this.#row = this.#next;
    else {
      for (const key of this.#added) this.#totals[key] = (this.#totals[key] ?? 1) - 1;
      this.#next = this.#row;
    }
    this.#added.length = 0;
  }
}

type Row = Readonly<{ id: number; minute: number }>;
const NONE: Row = { id: 0, minute: -1 };

/** Parses a column `totals`. */
export function readTotals(column: unknown): Totals {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- we alone write it
  return JSON.parse(text(column)) as Totals;
}

/** A simulated ban or refusal is neither (simulated.ts). */
function keysOf({ type, account, rest }: EventRecord): readonly string[] {
  switch (type) {
    case "BAN":
      return "simulated" in rest && rest.simulated === true ? [] : [type];
    case "LOGIN_REFUSED":
    case "LOGIN_DELAYED":
      return "seen" in rest && rest.seen?.simulated !== undefined ? [] : [type];
    case "EMAIL_ACCEPTED":
      return account === null ? [type] : [type, SENT];
    default:
      return [type];
  }
}
