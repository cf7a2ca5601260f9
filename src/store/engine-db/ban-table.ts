import type { DatabaseSync } from "node:sqlite";
import type { Ban, Change } from "../../core/decide/decision.ts";
import { isSingleAddress, isV4, type Prefix, prefixLength, widened } from "../../core/net/ip.ts";
import { isOver, type Millis } from "../../core/time.ts";
import type { AddressHistory } from "../../guard/storage-ports.ts";
import { integer } from "../columns.ts";
import { prepared } from "../transactions.ts";
import { BAN_COLUMNS, NEWEST_BANS, offencesAt, readBan } from "./ban-log.ts";
import { boundsOf } from "./network-columns.ts";

/**
 * The guard's table of bans (`ban` in schema.ts, which explains `last_event` and `simulated`). A row later gets the time and cause of its
 * ban's end. Each start and end is also a step (`sqliteBanLog`).
 */
export function sqliteBanTable(db: DatabaseSync) {
  const lengths = sqliteBanLengths(db);
  const sql = prepared(db, SQL);
  const inForce = (prefix: Prefix): Ban | null => {
    const row = sql.ban.get(prefix);
    return row === undefined ? null : readBan(row);
  };
  /** Of the bans in force on or around the network, the one that lasts longest, or the narrowest if all are simulated. */
  const strongest = (prefix: Prefix, own = inForce(prefix)): Ban | null =>
    lengths
      .around(prefix)
      .map(inForce)
      .reduce((best, ban) => (strengthOf(ban) > strengthOf(best) ? ban : best), own);
  return {
    add: (ban: Ban, at: Millis): void => {
      const { prefix, ip, level, code, reason, source, createdAt, expiresAt, offences, simulated = false } = ban;
      lengths.add(prefix);
      const { first, last } = boundsOf(prefix);
      sql.endBan.run(at, "REPLACED", source, 0, prefix);
      const columns = [prefix, first, last, ip, level, code, reason, source, createdAt, expiresAt, offences] as const;
      sql.insertBan.run(...columns, Number(simulated));
      if (!simulated) sql.step.run(at, "add", prefix, expiresAt);
    },
    lift: ({ prefix, cause, by, forgiven }: Extract<Change, { type: "LIFT" }>, at: Millis): void => {
      const isSimulated = inForce(prefix)?.simulated === true;
      const ended = sql.endBan.run(at, cause, by, forgiven ? 1 : 0, prefix);
      if (ended.changes === 0) return;
      if (!isSimulated) sql.step.run(at, "delete", prefix, null);
      if (!forgiven || isSingleAddress(prefix)) return;
      const { first, last } = boundsOf(prefix);
      sql.forgiveWithin.run(first, last, prefix);
    },
    endSimulation: (at: Millis): void => {
      sql.endSimulation.run(at);
    },
    ban: inForce,
    /** Bans in force on the network or within it. */
    within: (prefix: Prefix): readonly Ban[] => {
      const { first, last } = boundsOf(prefix);
      return sql.bansWithin.all(first, last, prefix).map(readBan);
    },
    strongest,
    /** Whether a ban of the network, or of one around it, is in force and not a simulated one. */
    isBanned: (prefix: Prefix, now: Millis): boolean => {
      const ban = strongest(prefix);
      // While the database cannot be written, the end of a ban is not recorded.
      return ban !== null && ban.simulated !== true && !isOver(ban.expiresAt, now);
    },
    /** The newest bans of the network. Events count again after the newest ban. */
    of: (prefix: Prefix): typeof NO_BANS => {
      const rows = sql.newest.all(prefix);
      const newest = rows[0];
      if (newest === undefined) return NO_BANS;
      return {
        facts: { ban: newest["ended_at"] === null ? readBan(newest) : null, offencesAt: offencesAt(rows).toReversed() },
        countsAfter: integer(newest["last_event"]),
        forgivenUpTo: rows.reduce(
          (id, row) => (row["forgiven"] === 1 ? Math.max(id, integer(row["last_event"])) : id),
          0,
        ),
      };
    },
  };
}

function strengthOf(ban: Ban | null): number {
  if (ban === null) return -1;
  return ban.simulated === true ? 0 : (ban.expiresAt ?? Number.POSITIVE_INFINITY);
}

/** Within a network of the same family: the range of `::/64` includes mapped IPv4 addresses, which are not in that network. */
const WITHIN = "first >= ?1 AND first <= ?2 AND last <= ?2 AND (instr(prefix, ':') > 0) = (instr(?3, ':') > 0)";
/** For `last_event`: events up to this one no longer count. */
const LAST_EVENT = "(SELECT coalesce(max(id), 0) FROM event)";
const SQL = {
  newest: NEWEST_BANS,
  ban: `SELECT ${BAN_COLUMNS} FROM ban WHERE prefix = ? AND ended_at IS NULL`,
  bansWithin: `
    SELECT ${BAN_COLUMNS} FROM ban WHERE ${WITHIN} AND ended_at IS NULL ORDER BY first`,
  endBan: `
    UPDATE ban SET ended_at = ?, ended = ?, ended_by = ?, forgiven = ?, last_event = ${LAST_EVENT}
    WHERE prefix = ? AND ended_at IS NULL`,
  forgiveWithin: `
    UPDATE ban SET forgiven = 1 WHERE ${WITHIN} AND prefix <> ?3 AND ended_at IS NOT NULL AND forgiven = 0`,
  insertBan: `
    INSERT INTO ban (prefix, first, last, ip, level, code, reason, source, created_at, expires_at, offences, simulated, last_event)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ${LAST_EVENT})`,
  endSimulation: `
    UPDATE ban SET ended_at = coalesce(ended_at, ?), ended = coalesce(ended, 'UNBAN'), ended_by = coalesce(ended_by, 'engine'),
      forgiven = 1, last_event = ${LAST_EVENT}, simulated = 2
    WHERE simulated = 1`,
  step: "INSERT INTO ban_step (at, type, prefix, expires_at) VALUES (?, ?, ?, ?)",
};

/** Both are event ids. Only events after `countsAfter` count; `forgivenUpTo` is the last event that an administrator forgave. */
export const NO_BANS: Readonly<{
  facts: Pick<AddressHistory, "ban" | "offencesAt">;
  countsAfter: number;
  forgivenUpTo: number;
}> = { facts: { ban: null, offencesAt: [] }, countsAfter: 0, forgivenUpTo: 0 };

/**
 * The prefix lengths of banned networks. There are few, so each is tried with an exact lookup to find a wider network
 * around an address. An unused length stays; it costs only a lookup.
 */
export function sqliteBanLengths(db: DatabaseSync) {
  const v4 = new Set<number>();
  const v6 = new Set<number>();
  const rows = db.prepare(`
    SELECT DISTINCT instr(prefix, ':') > 0 AS v6, CAST(substr(prefix, instr(prefix, '/') + 1) AS INTEGER) AS length
    FROM ban WHERE ended_at IS NULL`);
  for (const row of rows.iterate()) (row["v6"] === 1 ? v6 : v4).add(integer(row["length"]));
  return {
    add: (network: Prefix): void => {
      (isV4(network) ? v4 : v6).add(prefixLength(network));
    },
    /** The networks around this one that could be banned, narrowest first. */
    around: (network: Prefix): readonly Prefix[] => {
      const own = prefixLength(network);
      const lengths = isV4(network) ? v4 : v6;
      if (lengths.size === 0 || (lengths.size === 1 && lengths.has(own))) return NONE;
      return [...lengths]
        .filter((length) => length < own)
        .sort((a, b) => b - a)
        .map((length) => widened(network, length));
    },
  };
}

const NONE: readonly Prefix[] = [];
