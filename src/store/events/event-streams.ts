import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Millis } from "../../core/time.ts";
import type { EventFilter } from "../../guard/storage-ports.ts";
import { integer, millis } from "../columns.ts";
import { prepared } from "../transactions.ts";
import { sqliteEventIds } from "./event-ids.ts";

/**
 * Ids in the requested order that contain all events of a filter up to `reached`. Each must still be checked against
 * the filter.
 */
export type Candidates = Readonly<{ ids: readonly number[]; reached: number }>;

/** A range of ids, both ends exclusive. */
export type Span = Readonly<{ after: number; before: number }>;

/** The next ids of one index entry, within a span. */
export type Stream = Readonly<{ next: (after: number, before: number, most: number) => readonly number[] }>;

/** Ids read from an index at once. */
const MOST_AT_ONCE = 256;

/** Merges ids of several streams in one order, each id once. */
export function* merged(streams: readonly Stream[], span: Span, { order, most }: EventFilter): Generator<Candidates> {
  const isNewest = order === "newest_first";
  const batch = Math.max(16, Math.min(most, MOST_AT_ONCE));
  const atOnce = streams.length > 4 ? 16 : batch;
  const begin = (stream: Stream): Head => ({ stream, ids: stream.next(span.after, span.before, atOnce), place: 0 });
  let heads = streams.map(begin).filter(({ ids }) => ids.length > 0);
  for (;;) {
    const ids: number[] = [];
    for (let head = foremost(heads, isNewest); head !== null && ids.length < batch; head = foremost(heads, isNewest)) {
      const id = idOf(head);
      if (ids.at(-1) !== id) ids.push(id);
      head.place += 1;
      if (head.place < head.ids.length) continue;
      if (head.ids.length === atOnce) {
        head.ids = isNewest ? head.stream.next(span.after, id, atOnce) : head.stream.next(id, span.before, atOnce);
        head.place = 0;
      }
      if (head.place >= head.ids.length) heads = heads.filter((one) => one !== head);
    }
    const reached = ids.at(-1);
    if (reached === undefined) return;
    yield { ids, reached };
  }
}

/** How far a stream has been read. */
type Head = { readonly stream: Stream; ids: readonly number[]; place: number };

function foremost(heads: readonly Head[], isNewest: boolean): Head | null {
  let found: Head | null = null;
  for (const head of heads)
    if (found === null || (isNewest ? idOf(head) > idOf(found) : idOf(head) < idOf(found))) found = head;
  return found;
}

function idOf({ ids, place }: Head): number {
  return ids[place] ?? 0;
}

/** The times of the first and the last event. */
export type Times = readonly [first: number, last: number];

/**
 * Maps times to event ids. Ids ascend with time, except where the machine's clock was set back: between two
 * such events lies a stretch, in which a binary search finds a time.
 */
export function sqliteEventTimes(db: DatabaseSync) {
  const ids = sqliteEventIds(db);
  const setBack = (order: string): StatementSync =>
    db.prepare(`SELECT id FROM clock_set_back WHERE id > ? AND id < ? ORDER BY id ${order} LIMIT 1`);
  const setBacks = { oldest_first: setBack("ASC"), newest_first: setBack("DESC") };
  const sql = prepared(db, {
    times: `
      SELECT (SELECT at FROM event WHERE id > ?1 AND id < ?2 ORDER BY id LIMIT 1) AS first,
        (SELECT at FROM event WHERE id > ?1 AND id < ?2 ORDER BY id DESC LIMIT 1) AS last`,
    lastUpTo: "SELECT id, at FROM event WHERE id <= ? ORDER BY id DESC LIMIT 1",
    indexed: "SELECT upto FROM event_indexed",
  });

  /** The stretches between clock changes, in the requested order. */
  function* stretches({ after, before }: Span, order: EventFilter["order"]): Generator<Span> {
    for (let [from, to] = [after, before]; from + 1 < to; ) {
      // The id at the start of a stretch. The start of the whole span separates nothing.
      const begin = setBacks[order].get(from + 1, to)?.["id"];
      if (begin === undefined) {
        yield { after: from, before: to };
        return;
      }
      if (order === "newest_first") {
        yield { after: integer(begin) - 1, before: to };
        to = integer(begin);
      } else {
        yield { after: from, before: integer(begin) };
        from = integer(begin) - 1;
      }
    }
  }

  /**
   * The ranges of ids in which a filter's events lie by their times, in its order. A few hundred of the newest events may
   * have other times, because clock changes among them are noted later.
   */
  function* spansOf(filter: EventFilter): Generator<Span> {
    const { after = 0, before = Number.MAX_SAFE_INTEGER, from, to, order } = filter;
    if (from === undefined && to === undefined) {
      yield { after, before };
      return;
    }
    const upto = integer(sql.indexed.get()?.["upto"]);
    const fresh: Span = { after: Math.max(after, upto), before };
    const hasFresh = fresh.after + 1 < before;
    if (order === "newest_first" && hasFresh) yield fresh;
    for (const stretch of stretches({ after, before: Math.min(before, upto + 1) }, order)) {
      const start = stretch.after + 1;
      const first = from === undefined ? start : ids.firstWithin(start, stretch.before, from);
      const end = to === undefined ? stretch.before : ids.firstWithin(start, stretch.before, to + 1);
      if (first < end) yield { after: first - 1, before: end };
    }
    if (order === "oldest_first" && hasFresh) yield fresh;
  }

  return {
    stretches,
    spansOf,
    /** Null if none of its events are left. */
    of: ({ after, before }: Span): Times | null => {
      const row = sql.times.get(after, before);
      return row === undefined || row["first"] === null ? null : [integer(row["first"]), integer(row["last"])];
    },
    /** The time of the event with this id, or of the last remaining one before it. */
    at: (id: number): Millis | null => {
      const row = sql.lastUpTo.get(id);
      return row === undefined ? null : millis(row["at"]);
    },
  };
}
