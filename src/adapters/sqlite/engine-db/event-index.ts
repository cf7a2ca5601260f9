import type { DatabaseSync, StatementSync } from "node:sqlite";

/** A millisecond or so of work, once in as many events. */
const MOST_WAITING = 512;

/**
 * Finds the events of one address or account. An index that each event had to enter would cost a page of its own an
 * event: random pages, several times the work of the event itself. So events wait and enter in batches, sorted; and
 * whoever asks for an address that has events waiting brings them in first. Nothing is lost: what waits is committed
 * in `event`, and `event_indexed` tells up to which id it is done.
 */
export class EventIndex {
  readonly #enter: StatementSync;
  readonly #note: StatementSync;
  /** Whoever may have events waiting: after a rollback some have none, which costs an empty batch. */
  readonly #subjects = new Set<string>();
  #waiting = 0;
  /** Entered in the open transaction: after a rollback nobody knows any more who waits. */
  #isEntered = false;
  #isLost = false;

  /** Brings in what a killed process left waiting. */
  constructor(db: DatabaseSync) {
    this.#enter = db.prepare(`
      INSERT OR IGNORE INTO event_subject (subject, counts, at, id)
      WITH waiting AS (SELECT * FROM event WHERE id > (SELECT upto FROM event_indexed))
      SELECT prefix, counts, at, id FROM waiting WHERE prefix IS NOT NULL
      UNION ALL SELECT account, counts, at, id FROM waiting WHERE counts = 3 AND account IS NOT NULL
      ORDER BY 1, 2, 3, 4`);
    this.#note = db.prepare("UPDATE event_indexed SET upto = (SELECT coalesce(max(id), 0) FROM event)");
    db.exec("BEGIN IMMEDIATE");
    this.settle();
    db.exec("COMMIT");
    this.ended(true);
  }

  get isFull(): boolean {
    return this.#waiting >= MOST_WAITING;
  }

  get isEmpty(): boolean {
    return this.#waiting === 0 && !this.#isLost;
  }

  hasWaiting(subject: string): boolean {
    return this.#isLost || this.#subjects.has(subject);
  }

  add(prefix: string | null, account: string | null): void {
    if (prefix !== null) this.#subjects.add(prefix);
    if (account !== null) this.#subjects.add(account);
    this.#waiting += 1;
  }

  /** Within a transaction. Throws when the database takes no writes; all wait on then. */
  settle(): void {
    this.#enter.run();
    this.#note.run();
    this.#subjects.clear();
    this.#waiting = 0;
    this.#isEntered = true;
  }

  /** After the transaction. */
  ended(isCommitted: boolean): void {
    if (this.#isEntered) this.#isLost = !isCommitted;
    this.#isEntered = false;
  }
}
