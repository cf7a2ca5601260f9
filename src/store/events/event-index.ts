import type { DatabaseSync } from "node:sqlite";
import type { EventRecord } from "../../core/events/event.ts";
import type { EventType } from "../../core/events/event-types.ts";
import { COUNTS_CODE, integer, sqlList } from "../columns.ts";
import { prepared, together } from "../transactions.ts";

/** Adding them takes a sixth of a millisecond. With 512, most of the slowest 1 % of answers had waited for it. */
const MOST_WAITING = 32;
/** Includes events that are left to `sqliteEventNames`. They are only read here, so more may wait. */
const MOST_UNREAD = 256;

/** Most events of a mail that passes. If they count in no window, no decision reads them, and `sqliteEventNames` adds them. */
const PASSES: readonly EventType[] = ["RECIPIENT", "EMAIL_ACCEPTED"];
const IS_LEFT = `counts = 0 AND type IN (${sqlList(PASSES)})`;

/**
 * Writes the index of events by address or account, which `sqliteWindowReader` reads. Adding each event at once would write a random
 * page per event, several times the work of the event itself. So events wait and are added in sorted batches. A query for an
 * address with waiting events adds them first. Nothing is lost: waiting events are committed in `event`, and
 * `event_indexed` says up to which id the index is complete.
 */
export class EventIndex {
  readonly #sql;
  /** Addresses that may have waiting events. After a rollback some have none, which costs an empty batch. */
  readonly #subjects = new Set<string>();
  #waiting = 0;
  /** Events since the last batch, including those that are left to `sqliteEventNames`. */
  #unread = 0;
  /** Whether events were added in the open transaction: after a rollback it is unknown which are waiting. */
  #isEntered = false;
  #isLost = false;

  /** Adds the events that a killed process left waiting. */
  constructor(db: DatabaseSync) {
    this.#sql = prepared(db, {
      enter: `
        INSERT OR IGNORE INTO event_subject (subject, counts, at, id)
        WITH waiting AS (SELECT * FROM event WHERE id > (SELECT upto FROM event_indexed))
        SELECT prefix, counts, at, id FROM waiting WHERE prefix IS NOT NULL AND NOT (${IS_LEFT})
        UNION ALL SELECT account, counts, at, id FROM waiting WHERE counts = ${COUNTS_CODE.account_mail} AND account IS NOT NULL
        ORDER BY 1, 2, 3, 4`,
      noteSetBacks: `
        INSERT OR IGNORE INTO clock_set_back (id)
        SELECT id FROM (
          SELECT id, at, lag(at) OVER (ORDER BY id) AS earlier FROM event
          WHERE id >= (SELECT coalesce(max(id), 0) FROM event WHERE id <= (SELECT upto FROM event_indexed)))
        WHERE at < earlier`,
      note: "UPDATE event_indexed SET upto = (SELECT coalesce(max(id), 0) FROM event)",
    });
    together(db, () => this.addWaiting());
    this.ended(true);
  }

  get isFull(): boolean {
    return this.#waiting >= MOST_WAITING || this.#unread >= MOST_UNREAD;
  }

  get isEmpty(): boolean {
    return this.#unread === 0 && !this.#isLost;
  }

  hasWaiting(subject: string): boolean {
    return this.#isLost || this.#subjects.has(subject);
  }

  add({ type, prefix, counts }: Pick<EventRecord, "type" | "prefix" | "counts">): void {
    this.#unread += 1;
    if (counts === null && PASSES.includes(type)) return;
    this.#waiting += 1;
    if (prefix !== null) this.#subjects.add(prefix);
  }

  /** Call it within a transaction. Throws if the database cannot be written; all events then keep waiting. */
  addWaiting(): void {
    this.#sql.enter.run();
    this.#sql.noteSetBacks.run();
    this.#sql.note.run();
    this.#subjects.clear();
    this.#waiting = 0;
    this.#unread = 0;
    this.#isEntered = true;
  }

  /** Call it after the transaction. */
  ended(isCommitted: boolean): void {
    if (this.#isEntered) this.#isLost = !isCommitted;
    this.#isEntered = false;
  }
}

/**
 * The index for people's searches, which no decision reads: events by name, and the passes of an address. Filled in sorted
 * batches, like `EventIndex`. A search reads the remaining events one by one.
 */
export function sqliteEventNames(db: DatabaseSync) {
  const sql = prepared(db, SQL);
  return {
    /**
     * Adds the next events, oldest first. Returns false once all are added. 100 events take about a millisecond. Throws if the
     * database cannot be written, and then adds none. Call it between transactions of the guard's connection.
     */
    step: (most = 100): boolean => {
      const range = sql.next.get(most);
      const count = integer(range?.["n"]);
      if (count === 0) return false;
      const [from, upto] = [integer(range?.["names"]), integer(range?.["high"])];
      together(db, () => {
        sql.enter.run(from, upto);
        sql.enterPasses.run(from, upto);
        sql.note.run(upto);
      });
      return count === most;
    },
  };
}

const SQL = {
  next: `
    SELECT count(*) AS n, max(id) AS high, (SELECT names FROM event_indexed) AS names
    FROM (SELECT id FROM event WHERE id > (SELECT names FROM event_indexed) ORDER BY id LIMIT ?)`,
  enter: `
    INSERT OR IGNORE INTO event_name (role, name, id)
    SELECT role, name, id FROM event_names WHERE id > ? AND id <= ? ORDER BY 1, 2, 3`,
  enterPasses: `
    INSERT OR IGNORE INTO event_subject (subject, counts, at, id)
    SELECT prefix, counts, at, id FROM event WHERE id > ? AND id <= ? AND prefix IS NOT NULL AND ${IS_LEFT} ORDER BY 1, 3, 4`,
  note: "UPDATE event_indexed SET names = ?",
};
