import type { DatabaseSync, StatementSync } from "node:sqlite";
import { integer } from "../columns.ts";

/**
 * Finds the events of a person or a mail by name. As in `EventIndex`, adding each event at once would cost several
 * times the work of the event itself, so events are added in sorted batches. A search does not wait for them: it reads
 * the remaining events one by one.
 */
export class EventNames {
  readonly #db: DatabaseSync;
  readonly #sql: ReturnType<typeof statements>;

  /** Shares the guard's connection: call `step` between transactions. */
  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#sql = statements((sql) => db.prepare(sql));
  }

  /**
   * Adds the next events. Returns how many there were; if it returns `batch`, there may be more. 100 events take about
   * a millisecond. Throws if the database cannot be written; nothing is half done then.
   */
  step(batch = 100): number {
    const range = this.#sql.next.get(batch);
    const count = integer(range?.["n"]);
    if (count === 0) return 0;
    const [from, upto] = [integer(range?.["names"]), integer(range?.["high"])];
    this.#sql.begin.run();
    try {
      this.#sql.enter.run(from, upto);
      this.#sql.note.run(upto);
      this.#sql.commit.run();
      return count;
    } catch (error) {
      if (this.#db.isTransaction) this.#sql.rollback.run();
      throw error;
    }
  }
}

function statements(sql: (text: string) => StatementSync) {
  return {
    begin: sql("BEGIN IMMEDIATE"),
    commit: sql("COMMIT"),
    rollback: sql("ROLLBACK"),
    next: sql(`
      SELECT count(*) AS n, max(id) AS high, (SELECT names FROM event_indexed) AS names
      FROM (SELECT id FROM event WHERE id > (SELECT names FROM event_indexed) ORDER BY id LIMIT ?)`),
    enter: sql(`
      INSERT OR IGNORE INTO event_name (role, name, id)
      SELECT role, name, id FROM event_names WHERE id > ? AND id <= ? ORDER BY 1, 2, 3`),
    note: sql("UPDATE event_indexed SET names = ?"),
  };
}
