import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Prefix } from "../../../core/net/ip.ts";
import { isoTime, type Millis } from "../../../core/time.ts";
import type { EventFilter, Queries } from "../../../engine/ports.ts";
import { banItem } from "../../../wire/control/ban-item.ts";
import type { AddressReport, BanItem, EventItem, TopIp } from "../../../wire/control/items.ts";
import { integer, millis, millisOrNull, text, textOrNull } from "../columns.ts";
import { BAN_COLUMNS, readBan } from "../engine-db/ban-row.ts";
import { EventIds } from "../engine-db/event-ids.ts";
import { covering } from "../engine-db/network-bounds.ts";
import { EventSearch } from "./event-search.ts";

const PAST_BANS = 50;
const REPORTED_EVENTS = 100;

/** Reads `engine.db` for people. The connection may be read-only. */
export class SqliteQueries implements Queries {
  readonly #ids: EventIds;
  readonly #search: EventSearch;
  readonly #sql: ReturnType<typeof statements>;

  constructor(db: DatabaseSync) {
    this.#ids = new EventIds(db);
    this.#search = new EventSearch(db);
    this.#sql = statements((sql) => db.prepare(sql));
  }

  bans(now: Millis): readonly BanItem[] {
    return this.#sql.bans.all(now).map((row) => banItem(readBan(row)));
  }

  events(filter: EventFilter): readonly EventItem[] {
    return this.#search.find(filter);
  }

  topIps(since: Millis, most: number): readonly TopIp[] {
    return this.#sql.topIps.all(this.#ids.firstSince(since), most).map((row) => ({
      ip: text(row["ip"]),
      mails: integer(row["mails"]),
      connections: integer(row["connections"]),
      rejected: integer(row["rejected"]),
    }));
  }

  address(prefix: Prefix, now: Millis, memoryMs: number): AddressReport {
    const networks = JSON.stringify(covering(prefix));
    const standing = this.#sql.standing.get(networks, now);
    const allowed = this.#sql.allowed.get(networks);
    return {
      ban: standing === undefined ? null : banItem(readBan(standing)),
      pastBans: this.#sql.pastBans.all(networks, PAST_BANS).map((row) => ({
        ...banItem(readBan(row)),
        endedAt: isoOrNull(millisOrNull(row["ended_at"])),
        ended: textOrNull(row["ended"]),
      })),
      offencesInMemory: integer(this.#sql.offences.get(networks, now - memoryMs)?.["n"]),
      allowed:
        allowed === undefined
          ? null
          : {
              prefix: text(allowed["prefix"]),
              note: text(allowed["note"]),
              by: text(allowed["by"]),
              at: isoTime(millis(allowed["at"])),
              expiresAt: isoOrNull(millisOrNull(allowed["expires_at"])),
            },
      knownAccounts: this.#sql.knownAccounts.all(networks).map((row) => text(row["account"])),
      events: this.#search.find({ prefix, most: REPORTED_EVENTS, order: "newest_first" }),
    };
  }

  counts(since: Millis): Readonly<Record<string, number>> {
    const rows = this.#sql.counts.all(this.#ids.firstSince(since));
    return Object.fromEntries(rows.map((row) => [text(row["type"]), integer(row["n"])]));
  }
}

function isoOrNull(at: Millis | null): string | null {
  return at === null ? null : isoTime(at);
}

/** `?1` of the last five is a JSON list: the network asked for and all that contain it, the narrowest first. */
function statements(sql: (text: string) => StatementSync) {
  const among = "prefix IN (SELECT value FROM json_each(?1))";
  const narrowest = "(SELECT key FROM json_each(?1) WHERE value = prefix)";
  return {
    bans: sql(`
      SELECT ${BAN_COLUMNS} FROM ban
      WHERE ended_at IS NULL AND (expires_at IS NULL OR expires_at > ?) ORDER BY id DESC`),
    // Every event of the window is read: a second's work where there are a million.
    topIps: sql(`
      SELECT ip, count(*) FILTER (WHERE type IN ('EMAIL', 'EMAIL_BLOCKED', 'EMAIL_DEFERRED')) AS mails,
        count(*) FILTER (WHERE type IN ('CONNECT', 'CONNECT_REFUSED', 'CONNECT_DEFERRED')) AS connections,
        count(*) FILTER (WHERE type IN ('CONNECT_REFUSED', 'CONNECT_DEFERRED', 'EMAIL_BLOCKED', 'EMAIL_DEFERRED',
          'LOGIN_REFUSED', 'LOGIN_FAILED')) AS rejected
      FROM event WHERE id >= ? AND ip IS NOT NULL AND prefix IS NOT NULL
      GROUP BY ip HAVING mails + connections + rejected > 0
      ORDER BY mails DESC, connections DESC, rejected DESC, ip LIMIT ?`),
    counts: sql("SELECT type, count(*) AS n FROM event WHERE id >= ? GROUP BY type ORDER BY type"),
    standing: sql(`
      SELECT ${BAN_COLUMNS} FROM ban
      WHERE ${among} AND ended_at IS NULL AND (expires_at IS NULL OR expires_at > ?2) ORDER BY ${narrowest} LIMIT 1`),
    pastBans: sql(`
      SELECT ${BAN_COLUMNS}, ended_at, ended FROM ban
      WHERE ${among} AND ended_at IS NOT NULL ORDER BY id DESC LIMIT ?2`),
    offences: sql(`
      SELECT count(*) AS n FROM ban WHERE ${among} AND offences > 0 AND forgiven = 0 AND created_at > ?2`),
    allowed: sql(`SELECT prefix, note, by, at, expires_at FROM allow_entry WHERE ${among} ORDER BY at LIMIT 1`),
    knownAccounts: sql(`SELECT DISTINCT account FROM known_address WHERE ${among} ORDER BY account`),
  };
}
