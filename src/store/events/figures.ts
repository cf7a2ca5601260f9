import type { DatabaseSync, StatementSync } from "node:sqlite";
import { DAY_MS, type Millis } from "../../core/time.ts";
import { type Figures, MINUTES_FOR_MS, type Totals } from "../../guard/figures.ts";
import { integer, oneOf, rowReader, TOOK_EFFECT, text } from "../columns.ts";
import { sqliteEventIds } from "./event-ids.ts";
import { ADDRESSES_SPAN_MS, BY_RANK, RANKED, readTotals } from "./event-tally.ts";

/**
 * Up to this number, events are ranked one by one, which takes some milliseconds. Beyond it, the ranking comes from
 * sqliteEventTally, and starts with the hour or the day that contains the requested time.
 */
const LOOKED_AT = 10_000;

/** Figures for the owner and for Prometheus. The connection may be read-only. */
export function sqliteFigures(db: DatabaseSync): Figures {
  const ids = sqliteEventIds(db);
  const sql = statements((text) => db.prepare(text));
  const totals = (at: Millis | null): Totals => {
    const row = at === null ? sql.newest.get() : (sql.before.get(at) ?? sql.oldest.get());
    return readTotals(row?.["totals"] ?? "{}");
  };
  const ranked = ({ exact, tallied }: Ranks, since: Millis, most: number) => {
    const first = ids.firstSince(since);
    if (ids.last() - first < LOOKED_AT) return exact.all(first, most);
    const newest = integer(sql.newestAt.get()?.["at"]);
    const spanMs = newest - since > MINUTES_FOR_MS ? DAY_MS : ADDRESSES_SPAN_MS;
    return tallied.all(since - (since % spanMs), most);
  };
  return {
    banCounts: (now) => {
      const counts = { engine: 0, fail2ban: 0, manual: 0 };
      for (const row of sql.bans.all(now))
        counts[oneOf(["engine", "fail2ban", "manual"], row["origin"])] = integer(row["n"]);
      return counts;
    },
    topIps: (since, most) =>
      ranked(sql.topIps, since, most).map(
        rowReader({ ip: text, mails: integer, connections: integer, rejected: integer }),
      ),
    top: (by, since, most) => ranked(sql[by], since, most).map(rowReader({ ip: text, count: integer })),
    totals,
    totalsAt: ({ from, to, stepMs }) => {
      const all = [totals(from)];
      for (const row of sql.steps.all(from, to, stepMs)) {
        const slot = integer(row["slot"]);
        while (all.length <= slot) all.push(all.at(-1) ?? {});
        all.push(readTotals(row["totals"]));
      }
      const steps = Math.ceil((to - from) / stepMs);
      while (all.length <= steps) all.push(all.at(-1) ?? {});
      return all;
    },
  };
}

/** `?1`: the first event that counts, or the first hour; `?2`: how many. */
type Ranks = Readonly<{ exact: StatementSync; tallied: StatementSync }>;

function statements(sql: (text: string) => StatementSync) {
  // If the tally lags behind by more than this, its figures lag too.
  const untallied = `
    FROM event WHERE id > (SELECT max(upto, (SELECT coalesce(max(id), 0) FROM event) - ${LOOKED_AT}) FROM event_tallied)
      AND ${TOOK_EFFECT}`;
  const isRanked = "ip IS NOT NULL AND prefix IS NOT NULL";
  const names = Object.keys(RANKED).join(", ");
  const ranked = Object.entries(RANKED).map(([name, isOne]) => `${isOne} AS ${name}`);
  const ranks = (figures: string, best: string): Ranks => {
    const select = (from: string) => sql(`SELECT ip, ${figures} FROM (${from}) GROUP BY ip ${best} LIMIT ?2`);
    return {
      exact: select(`SELECT ip, ${ranked.join(", ")} FROM event WHERE id >= ?1 AND ${isRanked} AND ${TOOK_EFFECT}`),
      tallied: select(`
        SELECT ip, ${names} FROM address_tally WHERE since >= ?1
        UNION ALL SELECT ip, ${ranked.join(", ")} ${untallied} AND ${isRanked}`),
    };
  };
  const by = (figure: keyof typeof RANKED): Ranks =>
    ranks(`sum(${figure}) AS count`, `HAVING sum(${figure}) > 0 ORDER BY count DESC, ip`);
  return {
    bans: sql(`
      SELECT origin, standing - (SELECT count(*) FROM ban
        WHERE ended_at IS NULL AND expires_at <= ?1 AND iif(source IN ('engine', 'fail2ban'), source, 'manual') = origin)
        - (SELECT count(*) FROM ban WHERE simulated = 1 AND ended_at IS NULL AND (expires_at IS NULL OR expires_at > ?1)
          AND source IS origin) AS n
      FROM ban_count`),
    topIps: ranks(
      "sum(mails) AS mails, sum(connections) AS connections, sum(rejected) AS rejected",
      `HAVING sum(mails) + sum(connections) + sum(rejected) > 0 ORDER BY ${BY_RANK}`,
    ),
    mails: by("mails"),
    refusals: by("rejected"),
    failures: by("failures"),
    newestAt: sql("SELECT at FROM event WHERE id = (SELECT max(id) FROM event)"),
    newest: sql("SELECT totals FROM event_minute ORDER BY id DESC LIMIT 1"),
    oldest: sql("SELECT totals FROM event_minute ORDER BY minute, id LIMIT 1"),
    before: sql("SELECT totals FROM event_minute WHERE minute < ? ORDER BY minute DESC, id DESC LIMIT 1"),
    steps: sql(`
      SELECT slot, totals FROM
        (SELECT cast((minute - ?1) / ?3 AS INTEGER) AS slot, max(id) AS last FROM event_minute WHERE minute >= ?1 AND minute < ?2 GROUP BY 1)
        JOIN event_minute ON id = last
      ORDER BY slot`),
  };
}
