import type { DatabaseSync } from "node:sqlite";
import { type EventColumns, RECORDED_VERDICTS } from "../../core/events/columns.ts";
import type { EventRecord } from "../../core/events/event.ts";
import { EVENT_TYPES, SERVICES } from "../../core/events/event-types.ts";
import { readRest } from "../../core/events/rest-schemas.ts";
import type { Millis } from "../../core/time.ts";
import {
  COUNTS_CODE,
  integer,
  integerOrNull,
  ip,
  millis,
  millisOrNull,
  oneOf,
  orNull,
  prefix,
  type Row,
  reason,
  rowReader,
  text,
  textOrNull,
} from "../../store/columns.ts";
import { sqliteEventIds } from "../../store/events/event-ids.ts";
import { EVENT_COLUMNS } from "../../store/events/event-writer.ts";
import { prepared } from "../../store/transactions.ts";

/** Rows per query. A longer query would keep the guard from emptying its write-ahead log. */
const BATCH = 1_000;

/** Recorded events in order. `record` null: an older version wrote only text. */
export type Recorded = Readonly<{ id: number; record: EventRecord | null }>;

/** Recorded events for a replay, in the order of their ids. Throws on a row that no version has written. */
export function recordedEvents(db: DatabaseSync) {
  const ids = sqliteEventIds(db);
  const sql = prepared(db, {
    after: `SELECT id, ${EVENT_COLUMNS}, limit_count AS "limit" FROM event WHERE id > ? ORDER BY id LIMIT ?`,
    first: "SELECT at FROM event WHERE rest IS NOT NULL AND id >= ? ORDER BY id LIMIT 1",
    summed: "SELECT max(hour) AS hour FROM event_summary",
  });

  function* between(first: number, last: number): Generator<Recorded> {
    for (let before = first - 1; ; ) {
      const read = sql.after.all(before, BATCH);
      for (const row of read) {
        const id = integer(row["id"]);
        if (id > last) return;
        yield { id, record: readRecord(row) };
        before = id;
      }
      if (read.length < BATCH) return;
    }
  }

  return {
    /** From `first` to `last`, inclusive. */
    between,
    /** The id of the newest event now. */
    last: () => ids.last(),
    firstSince: (since: Millis) => ids.firstSince(since),
    /** The time of the first event from `id` on that can be decided again; null if there is none. */
    firstReadable: (id: number): Millis | null => millisOrNull(sql.first.get(id)?.["at"] ?? null),
    /** The time up to which summaries replaced events; null: none were replaced. */
    summedUpTo: (): Millis | null => millisOrNull(sql.summed.get()?.["hour"] ?? null),
  };
}

function readRecord(row: Row): EventRecord | null {
  const json = textOrNull(row["rest"]);
  const rest = json === null ? null : readRest(json);
  return rest === null ? null : { ...readColumns(row), rest };
}

const WINDOWS = ["connection", "mail", "account_mail", "login", "probe", "bounce"] as const;
const WINDOW_OF = new Map(WINDOWS.map((window) => [COUNTS_CODE[window], window]));

const readColumns: (row: Row) => EventColumns = rowReader({
  at: millis,
  type: (value) => oneOf(EVENT_TYPES, value),
  service: orNull((value) => oneOf(SERVICES, value)),
  ip: orNull(ip),
  prefix: orNull(prefix),
  account: textOrNull,
  sender: textOrNull,
  recipient: textOrNull,
  queueId: textOrNull,
  messageId: textOrNull,
  helo: textOrNull,
  sizeBytes: integerOrNull,
  verdict: orNull((value) => oneOf(RECORDED_VERDICTS, value)),
  reason: orNull(reason),
  offence: integerOrNull,
  counts: (value) => (value === 0 ? null : oneOf(WINDOWS, text(WINDOW_OF.get(integer(value))))),
  count: integerOrNull,
  limit: integerOrNull,
  windowMs: integerOrNull,
  limitKey: textOrNull,
  actor: textOrNull,
  proof: textOrNull,
});
