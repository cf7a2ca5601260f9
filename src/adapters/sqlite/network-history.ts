import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Prefix } from "../../core/ip.ts";
import type { Millis } from "../../core/time.ts";
import type { NetworkHistory } from "../../engine/ports.ts";
import { integer, millis } from "./columns.ts";
import { boundsOf } from "./network-bounds.ts";

/** What neighbours did together. By the guard's own connection to `engine.db`. */
export class SqliteNetworkHistory implements NetworkHistory {
  readonly #sql: ReturnType<typeof statements>;

  constructor(db: DatabaseSync) {
    this.#sql = statements((sql) => db.prepare(sql));
  }

  offenders(network: Prefix, since: Millis): number {
    const { first, last } = boundsOf(network);
    return integer(this.#sql.offenders.get(first, last, last, network, since)?.["n"]);
  }

  settledAt(network: Prefix, now: Millis): Millis {
    return millis(this.#sql.settled.get(now, network)?.["at"]);
  }

  guessesFrom(network: Prefix, since: Millis): number {
    return integer(this.#sql.guesses.get(network, since)?.["n"]);
  }
}

function statements(sql: (text: string) => StatementSync) {
  return {
    offenders: sql(`
      SELECT count(DISTINCT prefix) AS n FROM ban
      WHERE first >= ? AND first <= ? AND last <= ? AND prefix <> ? AND created_at > ? AND offences > 0 AND forgiven = 0`),
    // An instant later than now is from before the clock was set back, and settles nothing.
    settled: sql(`
      SELECT coalesce(max(at), 0) AS at FROM (
        SELECT max(created_at, coalesce(ended_at, 0)) AS at FROM ban WHERE prefix = ?2) WHERE at <= ?1`),
    guesses: sql("SELECT count(*) AS n FROM guess WHERE network = ? AND at > ?"),
  };
}
