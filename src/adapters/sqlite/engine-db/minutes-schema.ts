import type { DatabaseSync } from "node:sqlite";
import { instant, MINUTE_MS } from "../../../core/time.ts";
import { SENT } from "../../../engine/figures.ts";
import { integer, text } from "../columns.ts";
import { EventIds } from "./event-ids.ts";
import { TOOK_EFFECT } from "./simulated.ts";

const SPAN_MS = 10 * MINUTE_MS;

/**
 * `event_minute` (EventMinutes) takes the place of `event_tally` and `event_total`. The two days that `event_tally` knew,
 * ten minutes a row, and the events after its last go over; the first row is what there was before. A new database begins
 * with a row of nothing. Which mails accounts sent, `event_tally` did not know: it is counted from the events of its two days.
 * `address_tally.failures`: failed and refused sign-ins, from now on.
 */
export function minutes(db: DatabaseSync): void {
  db.exec(`
    CREATE TABLE event_minute (
      id INTEGER PRIMARY KEY,
      minute INTEGER NOT NULL,
      totals TEXT NOT NULL
    ) STRICT;
    CREATE INDEX event_minute_by_time ON event_minute (minute);
    ALTER TABLE address_tally ADD COLUMN failures INTEGER NOT NULL DEFAULT 0;`);
  const after = `FROM event WHERE id > (SELECT coalesce(max(upto), 0) FROM event_tallied) AND ${TOOK_EFFECT}`;
  const spans = db
    .prepare(`
      SELECT since, type, sum(n) AS n FROM (
        SELECT since, type, count AS n FROM event_tally
        UNION ALL SELECT at - at % ${SPAN_MS}, type, 1 ${after})
      GROUP BY since, type ORDER BY since`)
    .all();
  const first = spans[0];
  const totals = new Map<string, number>();
  const add = (type: string, n: number): unknown => totals.set(type, (totals.get(type) ?? 0) + n);
  const recorded = `SELECT type, recorded AS n FROM event_total UNION ALL SELECT type, count(*) ${after} GROUP BY type`;
  for (const row of db.prepare(recorded).all()) add(text(row["type"]), integer(row["n"]));
  for (const row of spans) add(text(row["type"]), -integer(row["n"]));

  const insert = db.prepare("INSERT INTO event_minute (minute, totals) VALUES (?, ?)");
  const write = (minute: number): unknown =>
    insert.run(minute - (minute % MINUTE_MS), JSON.stringify(Object.fromEntries([...totals].filter(([, n]) => n > 0))));
  const newest = integer(
    db.prepare("SELECT coalesce(max(at), 0) AS at FROM event WHERE id = (SELECT max(id) FROM event)").get()?.["at"],
  );
  write(first === undefined ? 0 : integer(first["since"]) - MINUTE_MS);
  const sent = first === undefined ? new Map<number, number>() : sentSince(db, integer(first["since"]));
  for (const [i, row] of spans.entries()) {
    add(text(row["type"]), integer(row["n"]));
    const since = integer(row["since"]);
    if (spans[i + 1]?.["since"] === row["since"]) continue;
    add(SENT, sent.get(since) ?? 0);
    write(Math.max(since, Math.min(since + SPAN_MS - 1, newest)));
  }
  db.exec("DROP TABLE event_tally; DROP TABLE event_total;");
}

/** Mails of accounts, by the start of their ten minutes. */
function sentSince(db: DatabaseSync, since: number): ReadonlyMap<number, number> {
  const rows = db
    .prepare(`
      SELECT at - at % ${SPAN_MS} AS since, count(*) AS n FROM event
      WHERE id >= ? AND type = 'EMAIL_ACCEPTED' AND account IS NOT NULL GROUP BY 1`)
    .all(new EventIds(db).firstSince(instant(since)));
  return new Map(rows.map((row) => [integer(row["since"]), integer(row["n"])]));
}
