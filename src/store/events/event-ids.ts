import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Millis } from "../../core/time.ts";
import { integer } from "../columns.ts";

/**
 * Finds events by time without an index on it: ids and times ascend together, so a binary search over ids works. After
 * the machine's clock was set back, the result is off by the same amount.
 */
export class EventIds {
  readonly #ends: StatementSync;
  readonly #next: StatementSync;

  constructor(db: DatabaseSync) {
    this.#ends = db.prepare(`
      SELECT (SELECT min(id) FROM event) AS low, (SELECT max(id) FROM event) AS high`);
    this.#next = db.prepare("SELECT id, at FROM event WHERE id >= ? AND id < ? ORDER BY id LIMIT 1");
  }

  last(): number {
    const high = this.#ends.get()?.["high"] ?? null;
    return high === null ? 0 : integer(high);
  }

  /** The first id of an event at `since` or later; if there is none, the last id plus one. */
  firstSince(since: Millis): number {
    const ends = this.#ends.get();
    if (ends === undefined || ends["low"] === null) return 1;
    return this.firstWithin(integer(ends["low"]), integer(ends["high"]) + 1, since);
  }

  /** The same from `low` on; `high` if there is none below it. */
  firstWithin(low: number, high: number, since: number): number {
    let [from, to] = [low, high];
    while (from < to) {
      const middle = Math.floor((from + to) / 2);
      const row = this.#next.get(middle, to);
      if (row === undefined || integer(row["at"]) >= since) to = middle;
      else from = integer(row["id"]) + 1;
    }
    return from;
  }
}

/**
 * The number of event rows, known without counting: read from EventTally when opened, then updated with each insert and
 * removal.
 */
export class EventCount {
  #committed: number;
  #pending = 0;

  constructor(db: DatabaseSync) {
    const row = db
      .prepare("SELECT present + (SELECT count(*) FROM event WHERE id > upto) AS n FROM event_tallied")
      .get();
    this.#committed = integer(row?.["n"]);
  }

  get rows(): number {
    return this.#committed;
  }

  add(rows: number): void {
    this.#pending += rows;
  }

  commit(): void {
    this.#committed += this.#pending;
    this.#pending = 0;
  }

  rollback(): void {
    this.#pending = 0;
  }
}
