import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Millis } from "../../../core/time.ts";
import type { BanCounts, Figures } from "../../../engine/figures.ts";
import type { TopIp } from "../../../wire/control/items.ts";
import { integer, text } from "../columns.ts";
import { EventIds } from "../engine-db/event-ids.ts";
import { ADDRESSES_SPAN_MS, BY_RANK, RANKED, TYPES_SPAN_MS } from "../engine-db/event-tally.ts";
import { TOOK_EFFECT } from "../engine-db/simulated.ts";

/**
 * Up to this number, events are counted one by one, which takes some milliseconds. Beyond it, the figures come from
 * EventTally, and begin with the ten minutes or the hour that contains the requested time.
 */
const LOOKED_AT = 10_000;

/** Figures for the owner and for Prometheus. The connection may be read-only. */
export class SqliteFigures implements Figures {
  readonly #ids: EventIds;
  readonly #sql: ReturnType<typeof statements>;

  constructor(db: DatabaseSync) {
    this.#ids = new EventIds(db);
    this.#sql = statements((sql) => db.prepare(sql));
  }

  bansInForce(now: Millis): BanCounts {
    const counts = { engine: 0, fail2ban: 0, manual: 0 };
    for (const row of this.#sql.bans.all(now)) {
      const origin = text(row["origin"]);
      if (origin === "engine" || origin === "fail2ban" || origin === "manual") counts[origin] = integer(row["n"]);
    }
    return counts;
  }

  topIps(since: Millis, most: number): readonly TopIp[] {
    const first = this.#fewSince(since);
    const rows =
      first === null
        ? this.#sql.topTallied.all(since - (since % ADDRESSES_SPAN_MS), most)
        : this.#sql.topExact.all(first, most);
    return rows.map((row) => ({
      ip: text(row["ip"]),
      mails: integer(row["mails"]),
      connections: integer(row["connections"]),
      rejected: integer(row["rejected"]),
    }));
  }

  counts(since: Millis): Readonly<Record<string, number>> {
    const first = this.#fewSince(since);
    return byType(
      first === null ? this.#sql.countsTallied.all(since - (since % TYPES_SPAN_MS)) : this.#sql.countsExact.all(first),
    );
  }

  recorded(): Readonly<Record<string, number>> {
    return byType(this.#sql.recorded.all());
  }

  /** The id from which to count one by one; null: there are too many. */
  #fewSince(since: Millis): number | null {
    const first = this.#ids.firstSince(since);
    return this.#ids.last() - first < LOOKED_AT ? first : null;
  }
}

function byType(rows: readonly Readonly<Record<string, unknown>>[]): Readonly<Record<string, number>> {
  return Object.fromEntries(rows.map((row) => [text(row["type"]), integer(row["n"])]));
}

function statements(sql: (text: string) => StatementSync) {
  // If the tally lags behind by more than this, its figures lag too.
  const untallied = `
    FROM event WHERE id > (SELECT max(upto, (SELECT coalesce(max(id), 0) FROM event) - ${LOOKED_AT}) FROM event_tallied)
      AND ${TOOK_EFFECT}`;
  const figures = "sum(mails) AS mails, sum(connections) AS connections, sum(rejected) AS rejected";
  const ranked = `${RANKED.mails} AS mails, ${RANKED.connections} AS connections, ${RANKED.rejected} AS rejected`;
  const isRanked = "ip IS NOT NULL AND prefix IS NOT NULL";
  const best = `GROUP BY ip HAVING sum(mails) + sum(connections) + sum(rejected) > 0 ORDER BY ${BY_RANK} LIMIT ?2`;
  return {
    bans: sql(`
      SELECT origin, standing - (SELECT count(*) FROM ban
        WHERE ended_at IS NULL AND expires_at <= ?1 AND iif(source IN ('engine', 'fail2ban'), source, 'manual') = origin)
        - (SELECT count(*) FROM ban WHERE simulated = 1 AND ended_at IS NULL AND (expires_at IS NULL OR expires_at > ?1)
          AND source IS origin) AS n
      FROM ban_count`),
    topExact: sql(`
      SELECT ip, ${figures} FROM (SELECT ip, ${ranked} FROM event WHERE id >= ?1 AND ${isRanked} AND ${TOOK_EFFECT}) ${best}`),
    topTallied: sql(`
      SELECT ip, ${figures} FROM (
        SELECT ip, mails, connections, rejected FROM address_tally WHERE since >= ?1
        UNION ALL SELECT ip, ${ranked} ${untallied} AND ${isRanked}) ${best}`),
    countsExact: sql(
      `SELECT type, count(*) AS n FROM event WHERE id >= ? AND ${TOOK_EFFECT} GROUP BY type ORDER BY type`,
    ),
    countsTallied: sql(`
      SELECT type, sum(n) AS n FROM (
        SELECT type, count AS n FROM event_tally WHERE since >= ? UNION ALL SELECT type, 1 ${untallied})
      GROUP BY type ORDER BY type`),
    recorded: sql(`
      SELECT type, sum(n) AS n FROM (
        SELECT type, recorded AS n FROM event_total UNION ALL SELECT type, 1 ${untallied})
      GROUP BY type ORDER BY type`),
  };
}
