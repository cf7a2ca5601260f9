import type { DatabaseSync } from "node:sqlite";
import type { Millis } from "../../core/time.ts";
import { integer } from "../columns.ts";

/**
 * Finds events by time without an index on it: ids and times ascend together, so a binary search over ids works. After
 * the machine's clock was set back, the result is off by the same amount.
 */
export function sqliteEventIds(db: DatabaseSync) {
  const ends = db.prepare(
    "SELECT (SELECT min(id) FROM event) AS low, coalesce((SELECT max(id) FROM event), 0) AS high",
  );
  const next = db.prepare("SELECT id, at FROM event WHERE id >= ? AND id < ? ORDER BY id LIMIT 1");
  const last = (): number => integer(ends.get()?.["high"]);
  /** The first from `low` on; `high` if there is none below it. */
  const firstWithin = (low: number, high: number, since: number): number => {
    let [from, to] = [low, high];
    while (from < to) {
      const middle = Math.floor((from + to) / 2);
      const row = next.get(middle, to);
      if (row === undefined || integer(row["at"]) >= since) to = middle;
      else from = integer(row["id"]) + 1;
    }
    return from;
  };
  return {
    last,
    /** The first id of an event at `since` or later; if there is none, the last id plus one. */
    firstSince: (since: Millis): number => firstWithin(integer(ends.get()?.["low"] ?? 1), last() + 1, since),
    firstWithin,
  };
}

/**
 * The number of event rows, known without counting: read from sqliteEventTally when opened, then updated with each insert and
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
