import type { DatabaseSync, StatementSync } from "node:sqlite";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../../core/time.ts";
import { integer } from "../columns.ts";
import { TOOK_EFFECT } from "./simulated.ts";

/** The time that one row of `event_tally` and of `address_tally` covers. */
export const TYPES_SPAN_MS = 10 * MINUTE_MS;
export const ADDRESSES_SPAN_MS = HOUR_MS;
/** The last 24 hours, with room for a reader that starts a little earlier. */
const KEPT_MS = 2 * DAY_MS;
/** About a millisecond of work, which delays decisions. */
const EVENTS_PER_STEP = 250;
/** Most addresses per hour. Beyond it, only the busiest are kept. */
const MOST_ADDRESSES = 1_024;
const BEST_ADDRESSES = 512;

/**
 * Keeps figures about events, so that no query has to walk over them: the number of events, the number of each type in
 * total and in each ten minutes, and the busiest addresses of each hour. It follows the events in small steps;
 * `event_tallied.upto` says how far it is, and readers add the events after that.
 */
export class EventTally {
  readonly #db: DatabaseSync;
  readonly #sql: ReturnType<typeof statements>;

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#sql = statements((sql) => db.prepare(sql));
  }

  /** Counts some events, oldest first. False when all are counted. Call it between transactions; throws as they do. */
  step(most: number = EVENTS_PER_STEP): boolean {
    const some = this.#sql.next.get(most);
    const found = integer(some?.["n"]);
    if (found === 0) return false;
    const range = [integer(some?.["low"]), integer(some?.["high"])] as const;
    const hour = integer(some?.["hour"]);
    this.#sql.begin.run();
    try {
      this.#sql.types.run(...range);
      this.#sql.totals.run(...range);
      this.#sql.addresses.run(...range);
      this.#sql.done.run(range[1], found);
      this.#sql.forgetTypes.run(hour - KEPT_MS);
      this.#sql.forgetAddresses.run(hour - KEPT_MS);
      if (integer(this.#sql.countAddresses.get(hour)?.["n"]) > MOST_ADDRESSES)
        this.#sql.keepBest.run(hour, BEST_ADDRESSES);
      this.#sql.commit.run();
    } catch (error) {
      if (this.#db.isTransaction) this.#sql.rollback.run();
      throw error;
    }
    return found === most;
  }
}

/** The weight of an event in the ranking of addresses. */
export const RANKED = {
  mails: "type IN ('EMAIL', 'EMAIL_BLOCKED', 'EMAIL_DEFERRED')",
  connections: "type IN ('CONNECT', 'CONNECT_REFUSED', 'CONNECT_DEFERRED')",
  rejected: `type IN ('CONNECT_REFUSED', 'CONNECT_DEFERRED', 'EMAIL_BLOCKED', 'EMAIL_DEFERRED',
    'LOGIN_REFUSED', 'LOGIN_FAILED')`,
} as const;

export const BY_RANK = "mails DESC, connections DESC, rejected DESC, ip";

function statements(sql: (text: string) => StatementSync) {
  const within = `FROM event WHERE id BETWEEN ?1 AND ?2 AND ${TOOK_EFFECT}`;
  const start = (spanMs: number): string => `at - at % ${spanMs}`;
  return {
    begin: sql("BEGIN IMMEDIATE"),
    commit: sql("COMMIT"),
    rollback: sql("ROLLBACK"),
    next: sql(`
      SELECT count(*) AS n, min(id) AS low, max(id) AS high, max(${start(ADDRESSES_SPAN_MS)}) AS hour FROM
        (SELECT id, at FROM event WHERE id > (SELECT upto FROM event_tallied) ORDER BY id LIMIT ?)`),
    types: sql(`
      INSERT INTO event_tally (since, type, count) SELECT ${start(TYPES_SPAN_MS)}, type, count(*) ${within} GROUP BY 1, 2
      ON CONFLICT DO UPDATE SET count = count + excluded.count`),
    totals: sql(`
      INSERT INTO event_total (type, recorded) SELECT type, count(*) ${within} GROUP BY 1
      ON CONFLICT DO UPDATE SET recorded = recorded + excluded.recorded`),
    addresses: sql(`
      INSERT INTO address_tally (since, ip, mails, connections, rejected)
      SELECT ${start(ADDRESSES_SPAN_MS)}, ip, sum(${RANKED.mails}), sum(${RANKED.connections}), sum(${RANKED.rejected})
      ${within} AND ip IS NOT NULL AND prefix IS NOT NULL
        AND (${RANKED.mails} OR ${RANKED.connections} OR ${RANKED.rejected})
      GROUP BY 1, 2
      ON CONFLICT DO UPDATE SET mails = mails + excluded.mails, connections = connections + excluded.connections,
        rejected = rejected + excluded.rejected`),
    done: sql("UPDATE event_tallied SET upto = ?, present = present + ?"),
    forgetTypes: sql("DELETE FROM event_tally WHERE since < ?"),
    forgetAddresses: sql("DELETE FROM address_tally WHERE since < ?"),
    countAddresses: sql("SELECT count(*) AS n FROM address_tally WHERE since = ?"),
    keepBest: sql(`
      DELETE FROM address_tally WHERE since = ?1 AND ip NOT IN
        (SELECT ip FROM address_tally WHERE since = ?1 ORDER BY ${BY_RANK} LIMIT ?2)`),
  };
}
