import type { DatabaseSync } from "node:sqlite";
import { COUNTING_BANS } from "../../core/decide/neighbours.ts";
import type { NetworkHistory } from "../../guard/storage-ports.ts";
import { integer, LIMIT, millis, prefix, sqlList } from "../columns.ts";
import { prepared } from "../transactions.ts";
import { boundsOf } from "./network-columns.ts";

/** What neighbouring addresses did together. Uses the guard's own connection to `engine.db`. */
export function sqliteNetworkHistory(db: DatabaseSync): NetworkHistory {
  const sql = prepared(db, SQL);
  return {
    offenders: (network, since, besides) => {
      const { first, last } = boundsOf(network);
      return integer(sql.offenders.get(first, last, last, network, since, besides)?.["n"]);
    },
    banned: (network, since) => {
      const { first, last } = boundsOf(network);
      return sql.banned.all(first, last, last, network, since, MOST_BANNED).map((row) => prefix(row["prefix"]));
    },
    settledAt: (network, now) => millis(sql.settled.get(now, network)?.["at"]),
    guessesFrom: (network, { since, until }, { account, passwordHash }) =>
      integer(sql.guesses.get(network, since, until, account, passwordHash)?.["n"]),
  };
}

/** More than a /24 has addresses. Further bans within an IPv6 site do not count. */
const MOST_BANNED = 1_024;
/** Far beyond `bans.neighbours`. An IPv6 site that is spared itself may have 65,536 banned networks, and counting them takes 50 ms. */
const MOST_OFFENDERS = 5_000;

const WITHIN = "first >= ? AND first <= ? AND last <= ? AND prefix <> ? AND created_at > ? AND offences > 0";
const CODES = sqlList(COUNTING_BANS);
const SQL = {
  offenders: `
    SELECT count(*) AS n FROM (
      SELECT DISTINCT prefix FROM ban
      WHERE ${WITHIN} AND prefix <> ? AND forgiven = 0 AND code IN (${CODES}) LIMIT ${MOST_OFFENDERS})`,
  banned: `SELECT DISTINCT prefix FROM ban WHERE ${WITHIN} AND forgiven = 0 ${LIMIT}`,
  // A time after now is from before the clock was set back, and does not count.
  settled: `
    SELECT coalesce(max(at), 0) AS at FROM (
      SELECT max(created_at, coalesce(ended_at, 0)) AS at FROM ban WHERE prefix = ?2) WHERE at <= ?1`,
  guesses: `
    SELECT count(*) AS n FROM guess WHERE network = ? AND at > ? AND at <= ? AND NOT (account = ? AND proof = ?)`,
};
