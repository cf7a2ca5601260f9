import type { DatabaseSync } from "node:sqlite";
import { banItem } from "../../admin/declare/items.ts";
import { firstPage } from "../../admin/declare/paging.ts";
import { contains, covering, isSingleAddress, networkAddress, type Prefix, prefixOf } from "../../core/net/ip.ts";
import { everyPage } from "../../guard/explain/event-pages.ts";
import type { Queries } from "../../guard/storage-ports.ts";
import { integer, iso, isoOrNull, prefix as prefixColumn, type Row, rowReader, text, textOrNull } from "../columns.ts";
import { lowerCaseFor, sqliteEventSearch } from "../events/event-search.ts";
import { sqliteFigures } from "../events/figures.ts";
import { prepared } from "../transactions.ts";
import { BAN_COLUMNS, NEWEST_BANS, offencesAt, readBan } from "./ban-log.ts";
import { textsWithin } from "./network-columns.ts";

const PAST_BANS = 50;
const KNOWN_ACCOUNTS = 50;
const REPORTED_EVENTS = 100;

/** Reads `engine.db` for the web and the command line. The connection may be read-only. */
export function sqliteQueries(db: DatabaseSync): Queries {
  const { find: events } = sqliteEventSearch(db);
  const sql = prepared(db, SQL);
  /** Accounts that sign in from the network or any part of it, sorted by name. A ban of the network locks all of them out. */
  const accountsFrom = (network: Prefix, around: string): readonly string[] => {
    const found = new Set(sql.known.all(around).map(accountOf));
    // `~` sorts after every character in a network's text.
    for (const start of textsWithin(network))
      for (const row of sql.knownBetween.iterate(start, `${start}~`))
        if (!found.has(accountOf(row)) && contains(network, networkAddress(prefixColumn(row["prefix"]))))
          found.add(accountOf(row));
    return [...found].toSorted((a, b) => (a < b ? -1 : 1));
  };
  return {
    figures: sqliteFigures(db),
    bans: (now, { limit, cursor, text: wanted }) => {
      const before = cursor === null ? Number.MAX_SAFE_INTEGER : Number(cursor);
      const rows =
        wanted === undefined
          ? sql.bans.all(now, before, limit + 1)
          : sql[lowerCaseFor(wanted)].all(now, before, wanted.toLowerCase(), limit + 1);
      const { items, next } = firstPage(rows, limit, (row) => String(row["id"]));
      return { items: items.map((row) => banItem(readBan(row))), next };
    },
    events,
    banChanges: (after, most) => {
      if (after === null) return { added: [], removed: [], upto: integer(sql.newestStep.get()?.["id"]), isAll: true };
      const steps = sql.steps.all(after, most);
      const networks = [...new Set(steps.map((row) => text(row["prefix"])))];
      const added = sql.inForce.all(JSON.stringify(networks)).map((row) => banItem(readBan(row)));
      const stands = new Set<string>(added.map(({ prefix }) => prefix));
      return {
        added,
        removed: networks.filter((network) => !stands.has(network)),
        upto: integer(steps.at(-1)?.["id"] ?? after),
        isAll: steps.length < most,
      };
    },
    spamScores: (ids) => {
      const rows = sql.spamScores.all(JSON.stringify(ids));
      return new Map(
        rows.map((row) => [integer(row["id"]), { score: Number(row["score"]), required: Number(row["required"]) }]),
      );
    },
    name: () => text(sql.name.get()?.["name"]),
    address: (prefix, now, { memoryMs, ipv6Prefix }) => {
      const around = covering(prefix);
      const networks = JSON.stringify(around);
      const current = sql.standing.get(networks, now);
      const allowed = sql.allowed.get(networks);
      const known = accountsFrom(prefix, networks);
      const judged = isSingleAddress(prefix) ? prefixOf(networkAddress(prefix), ipv6Prefix) : prefix;
      return {
        ban: current === undefined ? null : banItem(readBan(current)),
        pastBans: sql.pastBans.all(networks, PAST_BANS).map((row) => ({ ...banItem(readBan(row)), ...ending(row) })),
        offencesInMemory: offencesAt(sql.newestBans.all(judged)).filter((at) => at > now - memoryMs).length,
        allowed: allowed === undefined ? null : allowItem(allowed),
        knownAccounts: known.slice(0, KNOWN_ACCOUNTS),
        totals: { pastBans: integer(sql.countPastBans.get(networks)?.["n"]), knownAccounts: known.length },
        events: everyPage({ events }, { prefix, most: REPORTED_EVENTS, order: "newest_first" }).items,
      };
    },
  };
}

const accountOf = (row: Row): string => text(row["account"]);
const ending = rowReader({ endedAt: isoOrNull, ended: textOrNull });
const allowItem = rowReader({ prefix: text, note: text, by: text, at: iso, expiresAt: isoOrNull });

/** `?1` is a JSON list: the requested network and all that contain it, narrowest first. */
const AMONG = "prefix IN (SELECT value FROM json_each(?1))";
const bans = (more = ""): string => `
  SELECT id, ${BAN_COLUMNS} FROM ban
  WHERE ended_at IS NULL AND (expires_at IS NULL OR expires_at > ?) AND id < ? AND simulated = 0${more} ORDER BY id DESC LIMIT ?`;
const bansWith = (inLowerCase: string): string =>
  bans(` AND instr(${inLowerCase}(prefix || ' ' || reason || ' ' || source), ?)`);
const NARROWEST = "(SELECT key FROM json_each(?1) WHERE value = prefix)";
const SQL = {
  bans: bans(),
  newestStep: "SELECT coalesce(max(id), 0) AS id FROM ban_step",
  lower: bansWith("lower"),
  in_lower_case: bansWith("in_lower_case"),
  steps: "SELECT id, prefix FROM ban_step WHERE id > ? ORDER BY id LIMIT ?",
  inForce: `SELECT ${BAN_COLUMNS} FROM ban WHERE ${AMONG} AND ended_at IS NULL AND simulated = 0 ORDER BY id`,
  spamScores: `
    SELECT id, rest ->> '$.score' AS score, rest ->> '$.required' AS required FROM event
    WHERE id IN (SELECT value FROM json_each(?)) AND type = 'SPAM_SCORED' AND rest ->> '$.score' IS NOT NULL`,
  name: "SELECT name FROM database_name",
  standing: `
    SELECT ${BAN_COLUMNS} FROM ban
    WHERE ${AMONG} AND ended_at IS NULL AND simulated = 0 AND (expires_at IS NULL OR expires_at > ?2) ORDER BY ${NARROWEST} LIMIT 1`,
  pastBans: `
    SELECT ${BAN_COLUMNS}, ended_at, ended FROM ban
    WHERE ${AMONG} AND ended_at IS NOT NULL AND simulated = 0 ORDER BY id DESC LIMIT ?2`,
  newestBans: NEWEST_BANS,
  allowed: `SELECT prefix, note, by, at, expires_at FROM allow_entry WHERE ${AMONG} ORDER BY at LIMIT 1`,
  countPastBans: `SELECT count(*) AS n FROM ban WHERE ${AMONG} AND ended_at IS NOT NULL AND simulated = 0`,
  known: `SELECT DISTINCT account FROM known_address WHERE ${AMONG}`,
  knownBetween: "SELECT prefix, account FROM known_address WHERE prefix >= ? AND prefix < ?",
};
