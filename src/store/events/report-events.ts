import type { DatabaseSync } from "node:sqlite";
import type { EventType } from "../../core/events/event-types.ts";
import { isReason, reasons } from "../../core/events/reasons.ts";
import { hostPrefix } from "../../core/net/ip.ts";
import type { AddressFigures, DayFigures, Looked, NameFigures, ReasonFigures } from "../../core/report/figures.ts";
import { DAY_MS, instant, isoTime, type Millis } from "../../core/time.ts";
import { integer, ip as ipColumn, TOOK_EFFECT, text } from "../columns.ts";
import { covering } from "../engine-db/network-columns.ts";
import { type Prepared, prepared } from "../transactions.ts";
import { EventIds } from "./event-ids.ts";

/** How many of the newest events of a type are read one by one: half a second for all types together. */
const MOST = 100_000;
/** How many rows of each list. */
const SHOWN = 10;
/** Groups compared for each type. */
const GROUPS = 5_000;

const COUNTED = {
  signedIn: "LOGIN_SUCCEEDED",
  failed: "LOGIN_FAILED",
  refused: "LOGIN_REFUSED",
  accepted: "EMAIL_ACCEPTED",
  blocked: "EMAIL_BLOCKED",
  delivered: "EMAIL_DELIVERED",
} as const satisfies Record<Exclude<keyof DayFigures, "day">, EventType>;

const REFUSED = {
  LOGIN_FAILED: "signIns",
  LOGIN_REFUSED: "signIns",
  EMAIL_BLOCKED: "mails",
  CONNECT_REFUSED: "connections",
} as const satisfies Partial<Record<EventType, keyof AddressFigures>>;
const LOOKED_AT = [...Object.keys(REFUSED), "SPAM_SCORED"];

/**
 * Figures of a period for a report, by the index of types. Events that retention removed are in the sums by day and by reason,
 * which their hours keep; the newest seconds may be missing. The connection may be read-only.
 */
export class ReportEvents {
  readonly #ids: EventIds;
  readonly #sql: Prepared<typeof SQL>;

  constructor(db: DatabaseSync) {
    this.#ids = new EventIds(db);
    this.#sql = prepared(db, SQL);
  }

  /** By UTC days; the first and the last are partial. */
  days(from: Millis, to: Millis): readonly DayFigures[] {
    const found: DayFigures[] = [];
    for (let start = from; start < to; ) {
      const end = instant(Math.min(to, start - (start % DAY_MS) + DAY_MS));
      const ids = [this.#ids.firstSince(start), this.#ids.firstSince(end)] as const;
      const count = (type: EventType): number =>
        integer(this.#sql.count.get(type, ...ids)?.["n"]) + integer(this.#sql.removed.get(type, start, end)?.["n"]);
      found.push({
        day: isoTime(start).slice(0, 10),
        signedIn: count(COUNTED.signedIn),
        failed: count(COUNTED.failed),
        refused: count(COUNTED.refused),
        accepted: count(COUNTED.accepted),
        blocked: count(COUNTED.blocked),
        delivered: count(COUNTED.delivered),
      });
      start = end;
    }
    return found;
  }

  /** The period of the lists below. */
  looked(from: Millis, to: Millis): Looked {
    const first = this.#ids.firstSince(from);
    let events = 0;
    let isAll = true;
    for (const type of LOOKED_AT) {
      const there = integer(this.#sql.count.get(type, first, Number.MAX_SAFE_INTEGER)?.["n"]);
      events += Math.min(there, MOST);
      if (there > MOST || integer(this.#sql.removed.get(type, from, to)?.["n"]) > 0) isAll = false;
    }
    return { events, isAll };
  }

  /** The most refused addresses. */
  addresses(from: Millis, now: Millis): readonly AddressFigures[] {
    const first = this.#ids.firstSince(from);
    const found = new Map<string, Record<"signIns" | "mails" | "connections", number>>();
    for (const [type, figure] of Object.entries(REFUSED))
      for (const row of this.#sql.addresses.all(type, first, MOST, GROUPS)) {
        const ip = text(row["ip"]);
        const figures = found.get(ip) ?? { signIns: 0, mails: 0, connections: 0 };
        figures[figure] += integer(row["n"]);
        found.set(ip, figures);
      }
    const all = [...found].map(([ip, figures]) => ({ ip, ...figures }));
    return all
      .toSorted((a, b) => total(b) - total(a))
      .slice(0, SHOWN)
      .map((one) => ({ ...one, isBanned: this.#isBanned(one.ip, now) }));
  }

  /** The names at which sign-ins failed most. */
  names(from: Millis): readonly Omit<NameFigures, "isAccount">[] {
    const rows = this.#sql.names.all("LOGIN_FAILED", this.#ids.firstSince(from), MOST, SHOWN);
    return rows.map((row) => ({ name: text(row["name"]), failed: integer(row["n"]) }));
  }

  /** Of a type, by reason, the most frequent first. */
  reasons(type: "EMAIL_BLOCKED" | "BAN", from: Millis, to: Millis): readonly ReasonFigures[] {
    const counts = new Map<string, number>();
    const rows = [
      ...this.#sql.reasons.all(type, this.#ids.firstSince(from), MOST),
      ...this.#sql.removedReasons.all(type, from, to),
    ];
    for (const row of rows) {
      const code = text(row["reason"]);
      counts.set(code, (counts.get(code) ?? 0) + integer(row["n"]));
    }
    return [...counts]
      .map(([code, count]) => ({ code, says: isReason(code) ? reasons[code].says : code, count }))
      .toSorted((a, b) => b.count - a.count);
  }

  /** Mails that the filter scored, and how many it marked. */
  scored(from: Millis): Readonly<{ scored: number; marked: number }> {
    const row = this.#sql.scored.get("SPAM_SCORED", this.#ids.firstSince(from), MOST);
    return { scored: integer(row?.["n"]), marked: integer(row?.["marked"]) };
  }

  #isBanned(ip: string, now: Millis): boolean {
    return this.#sql.standing.get(JSON.stringify(covering(hostPrefix(ipColumn(ip)))), now) !== undefined;
  }
}

function total({ signIns, mails, connections }: Omit<AddressFigures, "ip" | "isBanned">): number {
  return signIns + mails + connections;
}

/** `?1` is a type, `?2` the first id. */
const NEWEST = "id IN (SELECT id FROM event_name WHERE role = 4 AND name = ?1 AND id >= ?2 ORDER BY id DESC LIMIT ?3)";
const SQL = {
  count: "SELECT count(*) AS n FROM event_name WHERE role = 4 AND name = ?1 AND id >= ?2 AND id < ?3",
  removed: "SELECT coalesce(sum(count), 0) AS n FROM event_summary WHERE type = ?1 AND hour >= ?2 AND hour < ?3",
  addresses: `
    SELECT ip, count(*) AS n FROM event WHERE ${NEWEST} AND ip IS NOT NULL AND ${TOOK_EFFECT}
    GROUP BY ip ORDER BY n DESC, ip LIMIT ?4`,
  names: `
    SELECT lower(account) AS name, count(*) AS n FROM event WHERE ${NEWEST} AND account <> ''
    GROUP BY name ORDER BY n DESC, name LIMIT ?4`,
  reasons: `
    SELECT coalesce(reason, '') AS reason, count(*) AS n FROM event WHERE ${NEWEST} AND ${TOOK_EFFECT} GROUP BY 1`,
  removedReasons: `
    SELECT reason, sum(count) AS n FROM event_summary WHERE type = ?1 AND hour >= ?2 AND hour < ?3 GROUP BY reason`,
  scored: `SELECT count(*) AS n, coalesce(sum(verdict IS 'mark'), 0) AS marked FROM event WHERE ${NEWEST}`,
  standing: `
    SELECT 1 FROM ban WHERE prefix IN (SELECT value FROM json_each(?1)) AND ended_at IS NULL AND simulated = 0
      AND (expires_at IS NULL OR expires_at > ?2) LIMIT 1`,
};
