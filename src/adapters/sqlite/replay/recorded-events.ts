import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Millis } from "../../../core/time.ts";
import type { Recorded } from "../../../engine/replay/ports.ts";
import { millis } from "../columns.ts";
import { EventIds } from "../engine-db/event-ids.ts";
import { EventRecords } from "../read/event-records.ts";

/** Rows per query. A longer query would keep the guard from emptying its log. */
const BATCH = 1_000;

/** Recorded events for a replay: oldest first, one batch at a time. */
export class RecordedEvents {
  readonly #ids: EventIds;
  readonly #records: EventRecords;
  readonly #first: StatementSync;
  readonly #summed: StatementSync;

  constructor(db: DatabaseSync) {
    this.#ids = new EventIds(db);
    this.#records = new EventRecords(db);
    this.#first = db.prepare("SELECT at FROM event WHERE rest IS NOT NULL AND id >= ? ORDER BY id LIMIT 1");
    this.#summed = db.prepare("SELECT max(hour) AS hour FROM event_summary");
  }

  /** The id of the newest event now. */
  last(): number {
    return this.#ids.last();
  }

  firstSince(since: Millis): number {
    return this.#ids.firstSince(since);
  }

  /** From `first` to `last`, inclusive. */
  *between(first: number, last: number): Generator<Recorded> {
    for (let before = first - 1; ; ) {
      const read = this.#records.after(before, BATCH);
      for (const { id, record } of read) {
        if (id > last) return;
        yield { id, record };
        before = id;
      }
      if (read.length < BATCH) return;
    }
  }

  /** The time of the first event from `id` on that can be decided again; null if there is none. */
  firstReadable(id: number): Millis | null {
    const row = this.#first.get(id);
    return row === undefined ? null : millis(row["at"]);
  }

  /** The time up to which summaries replaced events; null: none were replaced. */
  summedUpTo(): Millis | null {
    const hour = this.#summed.get()?.["hour"] ?? null;
    return hour === null ? null : millis(hour);
  }
}
