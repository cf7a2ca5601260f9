import { LIMIT } from "../columns.ts";
import type { Prepared } from "../transactions.ts";
import { BAN_COLUMNS } from "./ban-log.ts";

/** Notes that an account has written to an address. */
export const CORRESPOND = `
  INSERT INTO correspondent (address, account, last_at) VALUES (?, ?, ?)
  ON CONFLICT DO UPDATE SET last_at = max(last_at, excluded.last_at)`;

const LAST_EVENT = "(SELECT coalesce(max(id), 0) FROM event)";

/** Latest places of an account that are kept: a user with an IPv6 site can sign in from 65,536, and decisions read them all. */
const MOST_PLACES = 1_000;

/** The store's statements, each prepared once. */
export const STORE_SQL = {
  begin: "BEGIN IMMEDIATE",
  commit: "COMMIT",
  rollback: "ROLLBACK",
  bansOf: `SELECT ${BAN_COLUMNS}, ended_at, forgiven, answered AS last_event FROM ban WHERE prefix = ? ORDER BY id DESC ${LIMIT}`,
  ban: `SELECT ${BAN_COLUMNS} FROM ban WHERE prefix = ? AND ended_at IS NULL`,
  bansWithin: `
    SELECT ${BAN_COLUMNS} FROM ban WHERE first >= ? AND first <= ? AND last <= ? AND ended_at IS NULL ORDER BY first`,
  endBan: `
    UPDATE ban SET ended_at = ?, ended = ?, ended_by = ?, forgiven = ?, answered = ${LAST_EVENT}
    WHERE prefix = ? AND ended_at IS NULL`,
  forgiveWithin: `
    UPDATE ban SET forgiven = 1
    WHERE first >= ? AND first <= ? AND last <= ? AND prefix <> ? AND ended_at IS NOT NULL AND forgiven = 0`,
  insertBan: `
    INSERT INTO ban (prefix, first, last, ip, level, code, reason, source, created_at, expires_at, offences, simulated, answered)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ${LAST_EVENT})`,
  endSimulation: `
    UPDATE ban SET ended_at = coalesce(ended_at, ?), ended = coalesce(ended, 'UNBAN'), ended_by = coalesce(ended_by, 'engine'),
      forgiven = 1, answered = ${LAST_EVENT}, simulated = 2
    WHERE simulated = 1`,
  step: "INSERT INTO ban_step (at, type, prefix, expires_at) VALUES (?, ?, ?, ?)",
  know: `
    INSERT INTO known_address (prefix, account, first_at, last_at, proof) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET last_at = max(last_at, excluded.last_at), proof = excluded.proof`,
  forgetPlaces: `
    DELETE FROM known_address WHERE (prefix, account) IN (
      SELECT prefix, account FROM known_address WHERE lower(account) = lower(?) ORDER BY last_at DESC LIMIT -1 OFFSET ${MOST_PLACES})`,
  guess: `
    INSERT INTO guess (account, network, proof, at, is_stale) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET at = excluded.at, is_stale = excluded.is_stale`,
  setPassword: `
    INSERT INTO account_password (account, proof) VALUES (?, ?) ON CONFLICT DO UPDATE SET proof = excluded.proof`,
  forgetGuesses: "DELETE FROM guess WHERE ?1 IS NULL OR account = ?1",
  correspond: CORRESPOND,
  readLog: `
    INSERT INTO log_position (log, inode, offset) VALUES (?, ?, ?)
    ON CONFLICT DO UPDATE SET inode = excluded.inode, offset = excluded.offset`,
  logPosition: "SELECT inode, offset FROM log_position WHERE log = ?",
  allow: `
    INSERT INTO allow_entry (prefix, note, by, at, expires_at) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET note = excluded.note, by = excluded.by, at = excluded.at, expires_at = excluded.expires_at`,
  disallow: "DELETE FROM allow_entry WHERE prefix = ?",
  allowed: "SELECT prefix, note, by, at, expires_at FROM allow_entry ORDER BY at, prefix",
};

export type StoreStatements = Prepared<typeof STORE_SQL>;
