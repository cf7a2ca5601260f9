import type { DatabaseSync } from "node:sqlite";
import type { EventType } from "../../core/events/event-types.ts";
import { isReason, reasons } from "../../core/events/reasons.ts";
import { covering, hostPrefix } from "../../core/net/ip.ts";
import type { AddressFigures, DayFigures, Looked, ReasonFigures } from "../../core/report/figures.ts";
import { DAY_MS, instant, isoTime, type Millis } from "../../core/time.ts";
import { eventsBetween, pointBetween } from "../../guard/explain/stats.ts";
import { integer, ip as ipColumn, NAME_ROLE, rowReader, TOOK_EFFECT, text } from "../columns.ts";
import { prepared } from "../transactions.ts";
import { sqliteEventIds } from "./event-ids.ts";
import { sqliteFigures } from "./figures.ts";

/** How many of the newest events of a type are read one by one: half a second for all types together. Reasons are counted in all events. */
const MOST = 100_000;
/** SQLite: https://www.sqlite.org/lang_select.html#limitoffset */
const NO_LIMIT = -1;
/** Maximum rows of each list. */
const SHOWN = 10;
/** Groups compared for each type. */
const GROUPS = 5_000;

const REFUSED = {
  LOGIN_FAILED: "signIns",
  LOGIN_REFUSED: "signIns",
  EMAIL_BLOCKED: "mails",
  CONNECT_REFUSED: "connections",
} as const satisfies Partial<Record<EventType, keyof AddressFigures>>;
const LOOKED_AT = [...Object.keys(REFUSED), "SPAM_SCORED"];

/**
 * Figures of a period for a report. Events that retention removed count only by day and by reason. The lists use the index of
 * types, so they may lack the newest seconds. The connection may be read-only.
 */
export function sqliteReportEvents(db: DatabaseSync, from: Millis, to: Millis) {
  const figures = sqliteFigures(db);
  const sql = prepared(db, SQL);
  const first = sqliteEventIds(db).firstSince(from);
  const isBanned = (ip: string): boolean =>
    sql.standing.get(JSON.stringify(covering(hostPrefix(ipColumn(ip)))), to) !== undefined;
  return {
    /** By UTC days; the first and the last are partial, the first from the start of its hour. */
    days: (): readonly DayFigures[] => {
      const found: DayFigures[] = [];
      for (let start = from; start < to; ) {
        const end = instant(Math.min(to, start - (start % DAY_MS) + DAY_MS));
        const [before, after] = [figures.totals(start), figures.totals(end)];
        const counts = eventsBetween(before, after);
        found.push({
          day: isoTime(start).slice(0, 10),
          signedIn: counts["LOGIN_SUCCEEDED"] ?? 0,
          failed: counts["LOGIN_FAILED"] ?? 0,
          refused: counts["LOGIN_REFUSED"] ?? 0,
          accepted: pointBetween(before, after).mails_in,
          blocked: counts["EMAIL_BLOCKED"] ?? 0,
          delivered: counts["EMAIL_DELIVERED"] ?? 0,
        });
        start = end;
      }
      return found;
    },
    /** How many events the lists below consider, and whether these are all. */
    looked: (): Looked => {
      const present = LOOKED_AT.map((type) => integer(sql.count.get(type, first)?.["n"]));
      return {
        events: present.reduce((sum, n) => sum + Math.min(n, MOST), 0),
        isAll:
          present.every((n) => n <= MOST) && LOOKED_AT.every((type) => sql.removed.get(type, from, to) === undefined),
      };
    },
    /** The most refused addresses. */
    addresses: (): readonly AddressFigures[] => {
      const found = new Map<string, Record<"signIns" | "mails" | "connections", number>>();
      for (const [type, figure] of Object.entries(REFUSED))
        for (const row of sql.addresses.all(type, first, MOST, GROUPS)) {
          const ip = text(row["ip"]);
          found.getOrInsert(ip, { signIns: 0, mails: 0, connections: 0 })[figure] += integer(row["n"]);
        }
      return [...found]
        .map(([ip, figures]) => ({ ip, ...figures }))
        .toSorted((a, b) => total(b) - total(a))
        .slice(0, SHOWN)
        .map((one) => ({ ...one, isBanned: isBanned(one.ip) }));
    },
    /** The names at which sign-ins failed most. */
    names: () => sql.names.all("LOGIN_FAILED", first, MOST, SHOWN).map(rowReader({ name: text, failed: integer })),
    /** All events of a type by reason, most frequent first. */
    reasons: (type: "EMAIL_BLOCKED" | "BAN"): readonly ReasonFigures[] => {
      const counts = new Map<string, number>();
      for (const row of [...sql.reasons.all(type, first, NO_LIMIT), ...sql.removedReasons.all(type, from, to)]) {
        const code = text(row["reason"]);
        counts.set(code, (counts.get(code) ?? 0) + integer(row["n"]));
      }
      return [...counts]
        .map(([code, count]) => ({ code, says: isReason(code) ? reasons[code].says : code, count }))
        .toSorted((a, b) => b.count - a.count);
    },
    /** Mails that the filter scored, and how many it marked. */
    scored: () => {
      const row = sql.scored.get("SPAM_SCORED", first, MOST);
      return { scored: integer(row?.["n"]), marked: integer(row?.["marked"]) };
    },
  };
}

function total({ signIns, mails, connections }: Omit<AddressFigures, "ip" | "isBanned">): number {
  return signIns + mails + connections;
}

/** `?1` is a type, `?2` the first id. */
const OF_TYPE = `FROM event_name WHERE role = ${NAME_ROLE.type} AND name = ?1 AND id >= ?2`;
const NEWEST = `id IN (SELECT id ${OF_TYPE} ORDER BY id DESC LIMIT ?3)`;
const SQL = {
  count: `SELECT count(*) AS n ${OF_TYPE}`,
  removed: "SELECT 1 FROM event_summary WHERE type = ?1 AND hour >= ?2 AND hour < ?3 LIMIT 1",
  addresses: `
    SELECT ip, count(*) AS n FROM event WHERE ${NEWEST} AND ip IS NOT NULL AND ${TOOK_EFFECT}
    GROUP BY ip ORDER BY n DESC, ip LIMIT ?4`,
  names: `
    SELECT lower(account) AS name, count(*) AS failed FROM event WHERE ${NEWEST} AND account <> ''
    GROUP BY name ORDER BY failed DESC, name LIMIT ?4`,
  reasons: `
    SELECT coalesce(reason, '') AS reason, count(*) AS n FROM event WHERE ${NEWEST} AND ${TOOK_EFFECT} GROUP BY 1`,
  removedReasons: `
    SELECT reason, sum(count) AS n FROM event_summary WHERE type = ?1 AND hour >= ?2 AND hour < ?3 GROUP BY reason`,
  scored: `SELECT count(*) AS n, coalesce(sum(verdict IS 'mark'), 0) AS marked FROM event WHERE ${NEWEST}`,
  standing: `
    SELECT 1 FROM ban WHERE prefix IN (SELECT value FROM json_each(?1)) AND ended_at IS NULL AND simulated = 0
      AND (expires_at IS NULL OR expires_at > ?2) LIMIT 1`,
};
