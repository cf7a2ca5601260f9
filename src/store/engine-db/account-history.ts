import type { DatabaseSync } from "node:sqlite";
import type { Seen } from "../../core/access/access-review.ts";
import type { Guess, Shares } from "../../core/decide/account-guard.ts";
import { contains, networkAddress, type Prefix } from "../../core/net/ip.ts";
import { isoTime, type Millis } from "../../core/time.ts";
import type {
  AccountGuess,
  AccountHistory,
  GuessReach,
  GuessShares,
  GuessSpan,
  SignIn,
} from "../../guard/storage-ports.ts";
import { integer, LIMIT, millis, millisOrNull, prefix, type Row, text } from "../columns.ts";
import { type Prepared, prepared } from "../transactions.ts";
import { textsWithin } from "./network-columns.ts";

/** More networks than one person uses within half a year. */
const MOST_SIGN_INS = 500;

/** Where accounts signed in, and guesses at their passwords. Uses the guard's own connection to `engine.db`. */
export class SqliteAccountHistory implements AccountHistory {
  readonly #sql: Prepared<typeof SQL>;
  readonly #otherHashes: (account: string) => readonly string[];

  /** `otherHashes`: hashes of an account's additional passwords. */
  constructor(db: DatabaseSync, otherHashes: (account: string) => readonly string[] = () => []) {
    this.#otherHashes = otherHashes;
    this.#sql = prepared(db, SQL);
  }

  signIns(account: string, since: Millis): readonly SignIn[] {
    return this.#sql.signIns
      .all(account, since, MOST_SIGN_INS)
      .map((row) => ({ prefix: prefix(row["prefix"]), passwordHash: text(row["proof"]) }));
  }

  passwordHashes(account: string): readonly string[] {
    const own = this.#sql.passwordHashes.all(account).map((row) => text(row["proof"]));
    return [...own, ...this.#otherHashes(account)];
  }

  guesses(account: string, { network, since, until, most }: GuessReach): readonly Guess[] {
    const rows =
      network === null
        ? this.#sql.guesses.all(account, since, until, most)
        : this.#sql.guessesFrom.all(account, network, since, until, most);
    return rows.map((row) => ({ network: prefix(row["network"]), passwordHash: text(row["proof"]) }));
  }

  candidates(account: string, { since, until, share }: GuessShares): Shares {
    const row = this.#sql.candidates.get(share, account, since, until);
    const within = integer(row?.["within"]);
    return { within, beyond: integer(row?.["n"]) - within };
  }

  guessesOf(network: Prefix, { since, until, most }: GuessSpan): readonly AccountGuess[] {
    return this.#sql.guessesOf.all(network, since, until, most).map(readGuess);
  }

  *guessesSince({ since, until, most }: GuessSpan): Iterable<AccountGuess> {
    for (const row of this.#sql.guessesSince.iterate(since, until, most)) yield readGuess(row);
  }

  accountsOf(prefix: Prefix, since: Millis): readonly string[] {
    return this.#sql.accountsOf.all(prefix, since).map((row) => text(row["account"]));
  }

  isKnownWithin(network: Prefix, since: Millis): boolean {
    // The character after all that a network's text has.
    for (const text of textsWithin(network))
      for (const row of this.#sql.knownWithin.iterate(text, `${text}~`, since))
        if (contains(network, networkAddress(prefix(row["prefix"])))) return true;
    return false;
  }

  networksSince(since: Millis): readonly Prefix[] {
    return this.#sql.networksSince.all(since).map((row) => prefix(row["prefix"]));
  }
}

function readGuess(row: Row): AccountGuess {
  return { account: text(row["account"]), network: prefix(row["network"]), passwordHash: text(row["proof"]) };
}

// A guess later than now is from before the clock was set back, and does not count.
const WITHIN = "at > ? AND at <= ?";
const SQL = {
  signIns: `
    SELECT prefix, proof FROM known_address WHERE lower(account) = ? AND last_at > ? ORDER BY last_at DESC ${LIMIT}`,
  passwordHashes: "SELECT proof FROM account_password WHERE account = ?",
  guesses: `SELECT network, proof FROM guess WHERE account = ? AND ${WITHIN} ORDER BY at DESC ${LIMIT}`,
  guessesFrom: `SELECT network, proof FROM guess WHERE account = ? AND network = ? AND ${WITHIN} ORDER BY at DESC ${LIMIT}`,
  // Uses the primary key, in the order of networks, instead of the index by time: the maximum number of rows,
  // 200,000 for one account, takes 25 ms. Only called for a password that looks right.
  candidates: `
    SELECT coalesce(sum(n), 0) AS n, coalesce(sum(within), 0) AS within FROM (
      SELECT count(*) AS n, min(count(*), ?) AS within
      FROM guess WHERE account = ? AND +at > ? AND +at <= ? GROUP BY network)`,
  guessesOf: `SELECT account, network, proof FROM guess WHERE network = ? AND ${WITHIN} ORDER BY at DESC ${LIMIT}`,
  guessesSince: `
    SELECT account, network, proof FROM guess WHERE ${WITHIN} AND is_stale = 0 ORDER BY at DESC ${LIMIT}`,
  knownWithin: "SELECT DISTINCT prefix FROM known_address WHERE prefix >= ? AND prefix < ? AND last_at > ?",
  networksSince: "SELECT prefix FROM known_address WHERE last_at > ? GROUP BY prefix ORDER BY max(last_at) DESC",
  accountsOf: "SELECT DISTINCT lower(account) AS account FROM known_address WHERE prefix = ? AND last_at > ?",
};

const MOST_PLACES = 1_000;

/** The newest events to search: their table has no index by account. */
const MOST_EVENTS = 100_000;

/**
 * Where and when accounts last signed in, from the memory of addresses that could be banned and from the newest events, which also
 * include sign-ins from the allow list. Reads each event once.
 */
export class LastSignIns {
  readonly #sql;
  readonly #recorded = new Map<string, Seen>();
  #upTo = 0;

  constructor(engine: DatabaseSync) {
    this.#sql = prepared(engine, {
      known: "SELECT prefix, last_at FROM known_address WHERE lower(account) = ? ORDER BY last_at DESC LIMIT 1",
      newest: "SELECT coalesce(max(id), 0) AS id FROM event",
      newer: `
        SELECT lower(account) AS account, at, coalesce(ip, '') AS ip FROM event
        WHERE id > ? AND id <= ? AND type = 'LOGIN_SUCCEEDED' AND account IS NOT NULL ORDER BY id`,
    });
  }

  /** Null: no sign-in within the memory. */
  of(account: string): Seen | null {
    this.#read();
    const row = this.#sql.known.get(account.toLowerCase());
    const at = millisOrNull(row?.["last_at"] ?? null);
    const known = row === undefined || at === null ? null : { at: isoTime(at), from: text(row["prefix"]) };
    const recorded = this.#recorded.get(account.toLowerCase()) ?? null;
    return known === null || (recorded !== null && recorded.at > known.at) ? recorded : known;
  }

  #read(): void {
    const newest = integer(this.#sql.newest.get()?.["id"]);
    for (const row of this.#sql.newer.iterate(Math.max(this.#upTo, newest - MOST_EVENTS), newest))
      this.#recorded.set(text(row["account"]), { at: isoTime(millis(row["at"])), from: text(row["ip"]) });
    this.#upTo = newest;
  }
}

/** Addresses (IPv6 networks) from which the account signed in since then, and never before: latest first. */
export function newPlaces(engine: DatabaseSync, account: string, since: Millis): readonly string[] {
  return engine
    .prepare(`
      SELECT prefix FROM known_address WHERE lower(account) = ? AND first_at >= ? ORDER BY last_at DESC LIMIT ${MOST_PLACES}`)
    .all(account.toLowerCase(), since)
    .map((row) => text(row["prefix"]));
}
