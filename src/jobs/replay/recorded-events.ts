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
  oneOf,
  prefix,
  type Row,
  reason,
  text,
  textOrNull,
} from "../../store/columns.ts";
import { sqliteEventIds } from "../../store/events/event-ids.ts";
import { EVENT_COLUMNS } from "../../store/events/event-writer.ts";
import { prepared } from "../../store/transactions.ts";

/** Rows per query. A longer query would keep the guard from emptying its log. */
const BATCH = 1_000;

/** Recorded events in order. `record` null: an older version wrote only text. */
export type Recorded = Readonly<{ id: number; record: EventRecord | null }>;

/** Recorded events for a replay, in the order of their ids. Throws on a row that no version has written. */
export function recordedEvents(db: DatabaseSync) {
  const ids = sqliteEventIds(db);
  const sql = prepared(db, {
    after: `SELECT id, ${EVENT_COLUMNS} FROM event WHERE id > ? ORDER BY id LIMIT ?`,
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
    firstReadable: (id: number): Millis | null => orNull(sql.first.get(id)?.["at"] ?? null, millis),
    /** The time up to which summaries replaced events; null: none were replaced. */
    summedUpTo: (): Millis | null => orNull(sql.summed.get()?.["hour"] ?? null, millis),
  };
}

function readRecord(row: Row): EventRecord | null {
  const json = textOrNull(row["rest"]);
  const rest = json === null ? null : readRest(json);
  return rest === null ? null : { ...readColumns(row), rest };
}

function readColumns(row: Row): EventColumns {
  return {
    at: millis(row["at"]),
    type: oneOf(EVENT_TYPES, row["type"]),
    service: orNull(row["service"], (value) => oneOf(SERVICES, value)),
    ip: orNull(row["ip"], ip),
    prefix: orNull(row["prefix"], prefix),
    account: textOrNull(row["account"]),
    sender: textOrNull(row["sender"]),
    recipient: textOrNull(row["recipient"]),
    queueId: textOrNull(row["queue_id"]),
    messageId: textOrNull(row["message_id"]),
    helo: textOrNull(row["helo"]),
    sizeBytes: integerOrNull(row["size_bytes"]),
    verdict: orNull(row["verdict"], (value) => oneOf(RECORDED_VERDICTS, value)),
    reason: orNull(row["reason"], reason),
    offence: integerOrNull(row["offence"]),
    counts: row["counts"] === 0 ? null : oneOf(WINDOWS, text(WINDOW_OF.get(integer(row["counts"])))),
    count: integerOrNull(row["count"]),
    limit: integerOrNull(row["limit_count"]),
    windowMs: integerOrNull(row["window_ms"]),
    limitKey: textOrNull(row["limit_key"]),
    actor: textOrNull(row["actor"]),
    proof: textOrNull(row["proof"]),
  };
}

const WINDOWS = ["connection", "mail", "account_mail", "login", "probe", "bounce"] as const;
const WINDOW_OF = new Map(WINDOWS.map((window) => [COUNTS_CODE[window], window]));

function orNull<T>(value: unknown, read: (value: unknown) => T): T | null {
  return value === null ? null : read(value);
}
