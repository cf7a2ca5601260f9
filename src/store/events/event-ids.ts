import type { DatabaseSync } from "node:sqlite";
import type { Millis } from "../../core/time.ts";
import { integer } from "../columns.ts";
import { prepared } from "../transactions.ts";

/**
 * Finds events by time without an index on it: ids and times ascend together, except where the machine's clock was set back, so a
 * binary search over ids works in each stretch between.
 */
export function sqliteEventIds(db: DatabaseSync) {
  const sql = prepared(db, {
    ends: `
      SELECT (SELECT min(id) FROM event) AS low, (SELECT at FROM event WHERE id = (SELECT max(id) FROM event)) AS newest,
        (SELECT upto FROM event_indexed) AS upto`,
    last: "SELECT coalesce(max(id), 0) AS high FROM event",
    next: "SELECT id, at FROM event WHERE id >= ? AND id < ? ORDER BY id LIMIT 1",
    setBacks: "SELECT id FROM clock_set_back ORDER BY id",
    fresh: "SELECT id FROM event WHERE id > ? AND at BETWEEN ? AND ? ORDER BY id LIMIT 1",
  });
  /** The first id from `low` on whose time is `since` or later; `high` if there is none below it. */
  const firstWithin = (low: number, high: number, since: number): number => {
    let [from, to] = [low, high];
    while (from < to) {
      const middle = Math.floor((from + to) / 2);
      const row = sql.next.get(middle, to);
      if (row === undefined || integer(row["at"]) >= since) to = middle;
      else from = integer(row["id"]) + 1;
    }
    return from;
  };
  const last = (): number => integer(sql.last.get()?.["high"]);
  return {
    last,
    /**
     * The first id of an event at `since` or later; if there is none, the last id plus one. Times after the newest event's are from
     * a clock that was ahead, and do not count.
     */
    firstSince: (since: Millis): number => {
      const ends = sql.ends.get() ?? {};
      const [newest, upto] = [integer(ends["newest"] ?? 0), integer(ends["upto"])];
      let from = integer(ends["low"] ?? 1);
      for (const end of [...sql.setBacks.all().map((row) => integer(row["id"])), upto + 1]) {
        const first = firstWithin(from, end, since);
        if (first < firstWithin(first, end, newest + 1)) return first;
        from = Math.max(from, end);
      }
      // Clock changes among the newest events are noted later, so each of them is checked.
      return integer(sql.fresh.get(upto, since, newest)?.["id"] ?? last() + 1);
    },
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
