import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Millis } from "../../../core/time.ts";
import type { EventFilter } from "../../../engine/storage-ports.ts";
import { integer, millis } from "../columns.ts";
import type { Span } from "./event-streams.ts";

/** Of the first and the last event. */
export type Times = readonly [first: number, last: number];

/**
 * Maps times to event ids. Ids ascend with time, except where the machine's clock was set back: between two
 * such events lies a stretch, in which a binary search finds a time.
 */
export class EventTimes {
  readonly #setBacks: Record<EventFilter["order"], StatementSync>;
  readonly #times: StatementSync;
  readonly #next: StatementSync;
  readonly #lastUpTo: StatementSync;
  readonly #indexed: StatementSync;

  constructor(db: DatabaseSync) {
    const sql = (text: string): StatementSync => db.prepare(text);
    const setBack = (order: string): StatementSync =>
      sql(`SELECT id FROM clock_set_back WHERE id > ? AND id < ? ORDER BY id ${order} LIMIT 1`);
    this.#setBacks = { oldest_first: setBack("ASC"), newest_first: setBack("DESC") };
    this.#times = sql(`
      SELECT (SELECT at FROM event WHERE id > ?1 AND id < ?2 ORDER BY id LIMIT 1) AS first,
        (SELECT at FROM event WHERE id > ?1 AND id < ?2 ORDER BY id DESC LIMIT 1) AS last`);
    this.#next = sql("SELECT id, at FROM event WHERE id >= ? AND id < ? ORDER BY id LIMIT 1");
    this.#lastUpTo = sql("SELECT id, at FROM event WHERE id <= ? ORDER BY id DESC LIMIT 1");
    this.#indexed = sql("SELECT upto FROM event_indexed");
  }

  /**
   * Where the events of a filter lie by ids and times, in its order. Some hundred newest events may have other times:
   * clock changes among them are noted later.
   */
  *spansOf(filter: EventFilter): Generator<Span> {
    const { after = 0, before = Number.MAX_SAFE_INTEGER, from, to, order } = filter;
    if (from === undefined && to === undefined) {
      yield { after, before };
      return;
    }
    const upto = integer(this.#indexed.get()?.["upto"]);
    const fresh: Span = { after: Math.max(after, upto), before };
    const hasFresh = fresh.after + 1 < before;
    if (order === "newest_first" && hasFresh) yield fresh;
    for (const stretch of this.stretches({ after, before: Math.min(before, upto + 1) }, order)) {
      const first = from === undefined ? stretch.after + 1 : this.#firstSince(stretch, from);
      const end = to === undefined ? stretch.before : this.#firstSince(stretch, to + 1);
      if (first < end) yield { after: first - 1, before: end };
    }
    if (order === "oldest_first" && hasFresh) yield fresh;
  }

  /** The stretches between clock changes, in the requested order. */
  *stretches({ after, before }: Span, order: EventFilter["order"]): Generator<Span> {
    for (let [from, to] = [after, before]; from + 1 < to; ) {
      // The id at the start of a stretch. The start of the whole span separates nothing.
      const found = this.#setBacks[order].get(from + 1, to);
      const begin = found === undefined ? null : integer(found["id"]);
      if (begin === null) {
        yield { after: from, before: to };
        return;
      }
      if (order === "newest_first") {
        yield { after: begin - 1, before: to };
        to = begin;
      } else {
        yield { after: from, before: begin };
        from = begin - 1;
      }
    }
  }

  /** Null: nothing is left of it. */
  of({ after, before }: Span): Times | null {
    const row = this.#times.get(after, before);
    return row === undefined || row["first"] === null ? null : [integer(row["first"]), integer(row["last"])];
  }

  /** The time of the event with this id, or of the last remaining one before it. */
  at(id: number): Millis | null {
    const row = this.#lastUpTo.get(id);
    return row === undefined ? null : millis(row["at"]);
  }

  /** The first id of a stretch at this time or later; its end if there is none. */
  #firstSince({ after, before }: Span, at: number): number {
    let [low, high] = [after + 1, before];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const row = this.#next.get(middle, high);
      if (row === undefined || integer(row["at"]) >= at) high = middle;
      else low = integer(row["id"]) + 1;
    }
    return low;
  }
}
