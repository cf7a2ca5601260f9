import type { DatabaseSync } from "node:sqlite";
import { guessedName } from "../../../core/decide/account-guard.ts";
import { contains, networkAddress, type Prefix } from "../../../core/net/ip.ts";
import { DAY_MS, later, type Millis, WEEK_MS } from "../../../core/time.ts";
import { COUNTS_CODE, millis, prefix, text } from "../columns.ts";
import { EventIds } from "../engine-db/event-ids.ts";

/**
 * Copies the knowledge of `engine.db` from before a time: sign-ins, bans, guesses, good mail, the allow list. Of events, only the
 * wrong passwords of the week before, which still count.
 * Later changes are undone as far as possible: something that ended after that time has not ended yet.
 */
export function copyMemory(from: DatabaseSync, to: DatabaseSync, start: Millis): void {
  to.exec("BEGIN");
  for (const { table, columns, rows } of COPIES) {
    const insert = to.prepare(
      `INSERT OR IGNORE INTO ${table} (${columns}) VALUES (${columns
        .split(", ")
        .map(() => "?")
        .join(", ")})`,
    );
    const query = from.prepare(rows);
    for (const row of query.iterate({ start, day: Math.floor(start / DAY_MS) })) {
      insert.run(...Object.values(row));
    }
  }
  copyWrongPasswords(from, to, start);
  copyGuessesTriedAgain(from, to, start);
  to.exec("COMMIT");
}

function copyWrongPasswords(from: DatabaseSync, to: DatabaseSync, start: Millis): void {
  const ids = new EventIds(from);
  const columns = "at, type, ip, prefix, account, proof, counts, details, action";
  const query = from.prepare(`
    SELECT ${columns} FROM event WHERE id >= ? AND id < ? AND counts = ${COUNTS_CODE.login} ORDER BY id`);
  const insert = to.prepare(`INSERT INTO event (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  for (const row of query.iterate(ids.firstSince(later(start, -WEEK_MS)), ids.firstSince(start)))
    insert.run(...Object.values(row));
}

/**
 * Guesses have the time of the last try. For those tried again after `start`, earlier tries are in the
 * events of that time, if they still exist.
 */
function copyGuessesTriedAgain(from: DatabaseSync, to: DatabaseSync, start: Millis): void {
  const again = new Map<string, Prefix[]>();
  const keyOf = (account: unknown, proof: unknown): string => `${text(account)} ${text(proof)}`;
  for (const row of from.prepare("SELECT account, network, proof FROM guess WHERE at >= ?").iterate(start)) {
    const key = keyOf(row["account"], row["proof"]);
    const networks = again.get(key) ?? [];
    networks.push(prefix(row["network"]));
    again.set(key, networks);
  }
  if (again.size === 0) return;
  const insert = to.prepare(`
    INSERT INTO guess (account, network, proof, at) VALUES (?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET at = excluded.at`);
  const tried = to.prepare(`
    SELECT account, prefix, proof, at FROM event
    WHERE counts = ${COUNTS_CODE.login} AND account IS NOT NULL AND prefix IS NOT NULL AND proof IS NOT NULL ORDER BY id`);
  for (const row of tried.iterate()) {
    const account = guessedName(text(row["account"]).toLowerCase());
    const address = networkAddress(prefix(row["prefix"]));
    for (const network of again.get(keyOf(account, row["proof"])) ?? [])
      if (contains(network, address)) insert.run(account, network, text(row["proof"]), millis(row["at"]));
  }
}

const COPIES = [
  {
    table: "known_address",
    columns: "prefix, account, first_at, last_at, proof",
    rows: `SELECT prefix, account, first_at, min(last_at, $start - 1), proof FROM known_address
      WHERE first_at < $start AND $day > 0`,
  },
  {
    table: "ban",
    columns:
      "prefix, first, last, ip, level, code, reason, source, created_at, expires_at, offences, ended_at, ended, ended_by, forgiven, answered",
    rows: `SELECT prefix, first, last, ip, level, code, reason, source, created_at, expires_at, offences,
        iif(ended_at < $start, ended_at, NULL), iif(ended_at < $start, ended, NULL),
        iif(ended_at < $start, ended_by, NULL), iif(ended_at < $start, forgiven, 0), 0 AS answered
      FROM ban WHERE simulated = 0 AND created_at < $start AND $day > 0 ORDER BY id`,
  },
  {
    // The current value: the time of the change is not stored.
    table: "account_password",
    columns: "account, proof",
    rows: "SELECT account, proof FROM account_password WHERE $start > 0 AND $day > 0",
  },
  {
    table: "guess",
    columns: "account, network, proof, at, is_stale",
    rows: "SELECT account, network, proof, at, is_stale FROM guess WHERE at < $start AND $day > 0",
  },
  {
    table: "account_hold",
    columns: "account, at, prefix, ip, count, limit_count, window_ms, limit_key, released_at",
    rows: `SELECT account, at, prefix, ip, count, limit_count, window_ms, limit_key,
        iif(released_at < $start, released_at, NULL)
      FROM account_hold WHERE at < $start AND $day > 0`,
  },
  {
    table: "refusal",
    columns: "account, at, count",
    rows: "SELECT account, at, count FROM refusal WHERE at < $start AND $day > 0",
  },
  {
    table: "honest_mail",
    columns: "network, prefix, day, accepted, proven, wanted, written",
    rows: `SELECT network, prefix, day, accepted, proven, wanted, written FROM honest_mail
      WHERE day < $day AND $start > 0`,
  },
  {
    table: "allow_entry",
    columns: "prefix, note, by, at, expires_at",
    rows: "SELECT prefix, note, by, at, expires_at FROM allow_entry WHERE at < $start AND $day > 0",
  },
] as const;
