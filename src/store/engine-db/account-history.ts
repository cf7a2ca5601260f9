import type { DatabaseSync } from "node:sqlite";
import type { LastSeen } from "../../core/access/access-review.ts";
import { contains, networkAddress } from "../../core/net/ip.ts";
import type { Millis } from "../../core/time.ts";
import type { AccountGuess, AccountHistory } from "../../guard/storage-ports.ts";
import { integer, iso, LIMIT, prefix, type Row, text } from "../columns.ts";
import { prepared } from "../transactions.ts";
import { textsWithin } from "./network-columns.ts";

/** More networks than one person uses within half a year. */
const MOST_SIGN_INS = 500;

/** Where accounts signed in, and guesses at their passwords. `db`: the guard's own connection. `otherHashes`: those of app passwords. */
export function sqliteAccountHistory(
  db: DatabaseSync,
  otherHashes: (account: string) => readonly string[] = () => [],
): AccountHistory {
  const sql = prepared(db, SQL);
  return {
    signIns: (account, since) =>
      sql.signIns
        .all(account, since, MOST_SIGN_INS)
        .map((row) => ({ prefix: prefix(row["prefix"]), passwordHash: text(row["proof"]) })),
    passwordHashes: (account) => [
      ...sql.passwordHashes.all(account).map((row) => text(row["proof"])),
      ...otherHashes(account),
    ],
    guesses: (account, { network, since, until, most }) => {
      const rows =
        network === null
          ? sql.guesses.all(account, since, until, most)
          : sql.guessesFrom.all(account, network, since, until, most);
      return rows.map((row) => ({ network: prefix(row["network"]), passwordHash: text(row["proof"]) }));
    },
    candidates: (account, { since, until, share }) => {
      const row = sql.candidates.get(share, account, since, until);
      const within = integer(row?.["within"]);
      return { within, beyond: integer(row?.["n"]) - within };
    },
    guessesOf: (network, { since, until, most }) => sql.guessesOf.all(network, since, until, most).map(readGuess),
    guessesSince: ({ since, until, most }) => sql.guessesSince.iterate(since, until, most).map(readGuess),
    accountsOf: (network, since) => sql.accountsOf.all(network, since).map((row) => text(row["account"])),
    isKnownWithin: (network, since) =>
      // `~` sorts after every character of an address.
      textsWithin(network).some((start) =>
        sql.knownWithin
          .iterate(start, `${start}~`, since)
          .some((row) => contains(network, networkAddress(prefix(row["prefix"])))),
      ),
    networksSince: (since) => sql.networksSince.all(since).map((row) => prefix(row["prefix"])),
  };
}

function readGuess(row: Row): AccountGuess {
  return { account: text(row["account"]), network: prefix(row["network"]), passwordHash: text(row["proof"]) };
}

// A guess dated after now is from before the clock was set back, and does not count.
const WITHIN = "at > ? AND at <= ?";
const SQL = {
  signIns: `
    SELECT prefix, proof FROM known_address WHERE account = ? AND last_at > ? ORDER BY last_at DESC ${LIMIT}`,
  passwordHashes: "SELECT proof FROM account_password WHERE account = ?",
  guesses: `SELECT network, proof FROM guess WHERE account = ? AND ${WITHIN} ORDER BY at DESC ${LIMIT}`,
  guessesFrom: `SELECT network, proof FROM guess WHERE account = ? AND network = ? AND ${WITHIN} ORDER BY at DESC ${LIMIT}`,
  // Uses the primary key, in the order of networks, instead of the index by time. The maximum, 200,000 rows for one
  // account, takes 25 ms. Only called for a password that looks right.
  candidates: `
    SELECT coalesce(sum(n), 0) AS n, coalesce(sum(within), 0) AS within FROM (
      SELECT count(*) AS n, min(count(*), ?) AS within
      FROM guess WHERE account = ? AND +at > ? AND +at <= ? GROUP BY network)`,
  guessesOf: `SELECT account, network, proof FROM guess WHERE network = ? AND ${WITHIN} ORDER BY at DESC ${LIMIT}`,
  guessesSince: `
    SELECT account, network, proof FROM guess WHERE ${WITHIN} AND is_stale = 0 ORDER BY at DESC ${LIMIT}`,
  knownWithin: "SELECT DISTINCT prefix FROM known_address WHERE prefix >= ? AND prefix < ? AND last_at > ?",
  networksSince: "SELECT prefix FROM known_address WHERE last_at > ? GROUP BY prefix ORDER BY max(last_at) DESC",
  accountsOf: "SELECT account FROM known_address WHERE prefix = ? AND last_at > ?",
};

const MOST_PLACES = 1_000;

/** How many of the newest events are searched, because their table has no index by account. */
const MOST_EVENTS = 100_000;

/**
 * Where and when accounts last signed in, from the known addresses and from the newest events, which include sign-ins through
 * loopback. Ignores those of a removed account of the same name. Reads each event once. Returns null if no sign-in is remembered.
 */
export function sqliteLastSignIns(engine: DatabaseSync): (account: string) => LastSeen | null {
  const sql = prepared(engine, {
    known: "SELECT prefix, last_at FROM known_address WHERE account = ? ORDER BY last_at DESC LIMIT 1",
    newest: "SELECT coalesce(max(id), 0) AS id FROM event",
    newer: `
      SELECT lower(account) AS account, type, at, coalesce(ip, '') AS ip FROM event
      WHERE id > ? AND id <= ? AND type IN ('LOGIN_SUCCEEDED', 'ACCOUNT_REMOVED') AND account IS NOT NULL ORDER BY id`,
  });
  const bySignIn = new Map<string, LastSeen>();
  let upTo = 0;
  return (account) => {
    const last = integer(sql.newest.get()?.["id"]);
    for (const row of sql.newer.iterate(Math.max(upTo, last - MOST_EVENTS), last))
      if (row["type"] === "ACCOUNT_REMOVED") bySignIn.delete(text(row["account"]));
      else bySignIn.set(text(row["account"]), { at: iso(row["at"]), from: text(row["ip"]) });
    upTo = last;
    const row = sql.known.get(account.toLowerCase());
    const known = row === undefined ? null : { at: iso(row["last_at"]), from: text(row["prefix"]) };
    const recorded = bySignIn.get(account.toLowerCase()) ?? null;
    return known === null || (recorded !== null && recorded.at > known.at) ? recorded : known;
  };
}

/** Addresses (IPv6 networks) from which the account first signed in at that time or later, most recently used first. */
export function newPlaces(engine: DatabaseSync, account: string, since: Millis): readonly string[] {
  return engine
    .prepare(`
      SELECT prefix FROM known_address WHERE account = ? AND first_at >= ? ORDER BY last_at DESC LIMIT ${MOST_PLACES}`)
    .all(account.toLowerCase(), since)
    .map((row) => text(row["prefix"]));
}
