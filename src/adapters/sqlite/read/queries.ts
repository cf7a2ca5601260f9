import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Prefix } from "../../../core/net/ip.ts";
import { isoTime, type Millis } from "../../../core/time.ts";
import { everyPage } from "../../../engine/explain/every-page.ts";
import type { EventFilter, EventPage, Queries } from "../../../engine/storage-ports.ts";
import { banItem } from "../../../wire/control/ban-item.ts";
import type { AddressReport, BanItem } from "../../../wire/control/items.ts";
import { firstPage, type Page, type PageRequest } from "../../../wire/control/paging.ts";
import { integer, millis, millisOrNull, text, textOrNull } from "../columns.ts";
import { BAN_COLUMNS, readBan } from "../engine-db/ban-row.ts";
import { covering } from "../engine-db/network-bounds.ts";
import { EventSearch } from "./event-search.ts";
import { SqliteFigures } from "./figures.ts";

const PAST_BANS = 50;
const KNOWN_ACCOUNTS = 50;
const REPORTED_EVENTS = 100;

/** Reads `engine.db` for the web and the command line. The connection may be read-only. */
export class SqliteQueries implements Queries {
  readonly figures: SqliteFigures;
  readonly #search: EventSearch;
  readonly #sql: ReturnType<typeof statements>;

  constructor(db: DatabaseSync) {
    this.figures = new SqliteFigures(db);
    this.#search = new EventSearch(db);
    this.#sql = statements((sql) => db.prepare(sql));
  }

  bans(now: Millis, { limit, cursor }: PageRequest): Page<BanItem> {
    const rows = this.#sql.bans.all(now, cursor === null ? Number.MAX_SAFE_INTEGER : Number(cursor), limit + 1);
    const { items, next } = firstPage(rows, limit, (row) => String(row["id"]));
    return { items: items.map((row) => banItem(readBan(row))), next };
  }

  events(filter: EventFilter): EventPage {
    return this.#search.find(filter);
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
      knownAccounts: this.#sql.knownAccounts.all(networks, KNOWN_ACCOUNTS).map((row) => text(row["account"])),
      totals: {
        pastBans: integer(this.#sql.countPastBans.get(networks)?.["n"]),
        knownAccounts: integer(this.#sql.countKnown.get(networks)?.["n"]),
      },
      events: everyPage((one) => this.#search.find(one), {
        prefix,
        most: REPORTED_EVENTS,
        order: "newest_first",
      }).items,
    };
  }
}

function isoOrNull(at: Millis | null): string | null {
  return at === null ? null : isoTime(at);
}

/**
 * `?1` of all statements except the first is a JSON list: the requested network and all that contain it, the narrowest
 * first.
 */
function statements(sql: (text: string) => StatementSync) {
  const among = "prefix IN (SELECT value FROM json_each(?1))";
  const narrowest = "(SELECT key FROM json_each(?1) WHERE value = prefix)";
  return {
    bans: sql(`
      SELECT id, ${BAN_COLUMNS} FROM ban
      WHERE ended_at IS NULL AND (expires_at IS NULL OR expires_at > ?) AND id < ? AND simulated = 0 ORDER BY id DESC LIMIT ?`),
    standing: sql(`
      SELECT ${BAN_COLUMNS} FROM ban
      WHERE ${among} AND ended_at IS NULL AND simulated = 0 AND (expires_at IS NULL OR expires_at > ?2) ORDER BY ${narrowest} LIMIT 1`),
    pastBans: sql(`
      SELECT ${BAN_COLUMNS}, ended_at, ended FROM ban
      WHERE ${among} AND ended_at IS NOT NULL AND simulated = 0 ORDER BY id DESC LIMIT ?2`),
    offences: sql(`
      SELECT count(*) AS n FROM ban WHERE ${among} AND offences > 0 AND forgiven = 0 AND created_at > ?2`),
    allowed: sql(`SELECT prefix, note, by, at, expires_at FROM allow_entry WHERE ${among} ORDER BY at LIMIT 1`),
    countPastBans: sql(`SELECT count(*) AS n FROM ban WHERE ${among} AND ended_at IS NOT NULL AND simulated = 0`),
    knownAccounts: sql(`SELECT DISTINCT account FROM known_address WHERE ${among} ORDER BY account LIMIT ?2`),
    countKnown: sql(`SELECT count(DISTINCT account) AS n FROM known_address WHERE ${among}`),
  };
}
