import type { DatabaseSync } from "node:sqlite";
import { COUNTING_BANS } from "../../core/decide/neighbours.ts";
import type { Prefix } from "../../core/net/ip.ts";
import type { Millis } from "../../core/time.ts";
import type { NetworkHistory, TimeSpan } from "../../guard/storage-ports.ts";
import { integer, LIMIT, millis, prefix } from "../columns.ts";
import { type Prepared, prepared } from "../transactions.ts";
import { boundsOf } from "./network-columns.ts";

/** What neighbouring addresses did together. Uses the guard's own connection to `engine.db`. */
export class SqliteNetworkHistory implements NetworkHistory {
  readonly #sql: Prepared<typeof SQL>;

  constructor(db: DatabaseSync) {
    this.#sql = prepared(db, SQL);
  }

  offenders(network: Prefix, since: Millis, besides: Prefix): number {
    const { first, last } = boundsOf(network);
    return integer(this.#sql.offenders.get(first, last, last, network, since, besides)?.["n"]);
  }

  banned(network: Prefix, since: Millis): readonly Prefix[] {
    const { first, last } = boundsOf(network);
    return this.#sql.banned.all(first, last, last, network, since, MOST_BANNED).map((row) => prefix(row["prefix"]));
  }

  settledAt(network: Prefix, now: Millis): Millis {
    return millis(this.#sql.settled.get(now, network)?.["at"]);
  }

  guessesFrom(
    network: Prefix,
    { since, until }: TimeSpan,
    besides: Readonly<{ account: string; passwordHash: string }>,
  ): number {
    return integer(this.#sql.guesses.get(network, since, until, besides.account, besides.passwordHash)?.["n"]);
  }
}

/** More than a /24 has addresses. */
const MOST_BANNED = 1_024;
/** Far beyond `bans.neighbours`. Of one IPv6 site 65,536 may be banned while the site itself is spared; to count them takes 50 ms. */
const MOST_OFFENDERS = 5_000;

const WITHIN = "first >= ? AND first <= ? AND last <= ? AND prefix <> ? AND created_at > ? AND offences > 0";
const CODES = COUNTING_BANS.map((code) => `'${code}'`).join(", ");
const SQL = {
  offenders: `
    SELECT count(*) AS n FROM (
      SELECT DISTINCT prefix FROM ban
      WHERE ${WITHIN} AND prefix <> ? AND forgiven = 0 AND code IN (${CODES}) LIMIT ${MOST_OFFENDERS})`,
  banned: `SELECT DISTINCT prefix FROM ban WHERE ${WITHIN} AND forgiven = 0 ${LIMIT}`,
  // A time later than now is from before the clock was set back, and does not count.
  settled: `
    SELECT coalesce(max(at), 0) AS at FROM (
      SELECT max(created_at, coalesce(ended_at, 0)) AS at FROM ban WHERE prefix = ?2) WHERE at <= ?1`,
  guesses: `
    SELECT count(*) AS n FROM guess WHERE network = ? AND at > ? AND at <= ? AND NOT (account = ? AND proof = ?)`,
};
