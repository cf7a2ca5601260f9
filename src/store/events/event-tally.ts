import type { DatabaseSync } from "node:sqlite";
import type { EventRecord } from "../../core/events/event.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS, WEEK_MS } from "../../core/time.ts";
import {
  FIGURES_FOR_MS,
  MINUTES_FOR_MS,
  RANKED_FOR_MS,
  RECEIVED_REFUSED,
  SENT,
  SENT_REFUSED,
  type Totals,
} from "../../guard/figures.ts";
import { integer, TOOK_EFFECT, text } from "../columns.ts";
import { prepared, together } from "../transactions.ts";

/** Less than a millisecond of work, once a minute. */
const MOST_REMOVED = 200;

/**
 * Counts events in the transaction that writes them. `event_minute` has one row for each minute with events: the number of events
 * of each type since the database was created, up to the end of that minute. So the count between two times is the
 * difference of two rows, no count is lost with a row that retention removes, and a counter never falls. A commit takes one
 * statement, however many events it has.
 *
 * Rows are in the order of their ids, and so of their minutes, unless the machine's clock was set back.
 */
export class EventMinutes {
  readonly #sql;
  /** Including those of the open transaction. */
  readonly #totals: Record<string, number>;
  /** The counts of the open transaction. */
  readonly #added: string[] = [];
  #addedIn = 0;
  #row: Row;
  /** The row after the open transaction is committed. */
  #next: Row;
  /** False until this process has checked every row, because the guard may have been down for long. Later checks go back a week. */
  #isThinned = false;

  constructor(db: DatabaseSync) {
    this.#sql = prepared(db, {
      insert: "INSERT INTO event_minute (minute, totals) VALUES (?, ?)",
      update: "UPDATE event_minute SET totals = ? WHERE id = ?",
      thin: `
        DELETE FROM event_minute WHERE id IN (
          SELECT id FROM event_minute AS one WHERE minute >= ?2 AND minute < ?1 AND EXISTS (
            SELECT 1 FROM event_minute WHERE minute > one.minute AND minute < one.minute - one.minute % ${HOUR_MS} + ${HOUR_MS})
          LIMIT ${MOST_REMOVED})`,
      forget: `
        DELETE FROM event_minute WHERE id IN (
          SELECT id FROM event_minute WHERE minute < (SELECT max(minute) FROM event_minute WHERE minute < ?) LIMIT ${MOST_REMOVED})`,
    });
    const last = db.prepare("SELECT id, minute, totals FROM event_minute ORDER BY id DESC LIMIT 1").get();
    this.#totals = { ...readTotals(last?.["totals"] ?? "{}") };
    this.#row = last === undefined ? NONE : { id: integer(last["id"]), minute: integer(last["minute"]) };
    this.#next = this.#row;
  }

  add(record: EventRecord): void {
    for (const key of keysOf(record)) {
      this.#totals[key] = (this.#totals[key] ?? 0) + 1;
      this.#added.push(key);
    }
    this.#addedIn = record.at - (record.at % MINUTE_MS);
  }

  /** Call it before the commit. Throws if the database cannot be written. */
  write(): void {
    if (this.#added.length === 0) return;
    const totals = JSON.stringify(this.#totals);
    const minute = this.#addedIn;
    if (minute === this.#row.minute) return void this.#sql.update.run(totals, this.#row.id);
    this.#next = { id: Number(this.#sql.insert.run(minute, totals).lastInsertRowid), minute };
    // Whole hours, so that each hour keeps its last row.
    const until = minute - (minute % HOUR_MS) - MINUTES_FOR_MS;
    const { changes } = this.#sql.thin.run(until, this.#isThinned ? until - WEEK_MS : 0);
    this.#isThinned = changes < MOST_REMOVED;
    // One row of the older minutes stays, as the start of a later difference.
    this.#sql.forget.run(minute - FIGURES_FOR_MS);
  }

  /** Call it after the transaction. */
  ended(isCommitted: boolean): void {
    if (isCommitted) this.#row = this.#next;
    else {
      for (const key of this.#added) this.#totals[key] = (this.#totals[key] ?? 1) - 1;
      this.#next = this.#row;
    }
    this.#added.length = 0;
  }
}

type Row = Readonly<{ id: number; minute: number }>;
const NONE: Row = { id: 0, minute: -1 };

export function readTotals(column: unknown): Totals {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- we alone write it
  return JSON.parse(text(column)) as Totals;
}

/** A simulated ban or refusal does not count as one (columns.ts). */
function keysOf({ type, account, rest }: EventRecord): readonly string[] {
  switch (type) {
    case "BAN":
      return "simulated" in rest && rest.simulated === true ? [] : [type];
    case "LOGIN_REFUSED":
    case "LOGIN_DELAYED":
      return "seen" in rest && rest.seen?.simulated !== undefined ? [] : [type];
    case "EMAIL_ACCEPTED":
      return account === null ? [type] : [type, SENT];
    case "EMAIL_BLOCKED":
    case "EMAIL_DEFERRED":
      if (rest.event !== "CONTENT_REFUSED" && rest.event !== "MAIL_LOOPED") return [type];
      return [type, account === null ? RECEIVED_REFUSED : SENT_REFUSED];
    default:
      return [type];
  }
}

/** The time that one row of `address_tally` covers, until it is merged into the row of its day. */
export const ADDRESSES_SPAN_MS = HOUR_MS;
/** Takes about a millisecond, for which decisions wait. */
const EVENTS_PER_STEP = 250;
/** Maximum addresses of the current hour. Above it, and once an hour or day is over, only the busiest are kept. */
const MOST_ADDRESSES = 1_024;
const BEST_ADDRESSES = 512;
const BEST_OF_OTHERS = 128;
const KEPT_ADDRESSES = BEST_ADDRESSES + 2 * BEST_OF_OTHERS;

/**
 * Ranks addresses, so that no query has to read all events: the busiest of each hour, and of each day for
 * older events. Also counts events. It follows the events in small steps, because counting each event with its decision would
 * cost a page of the write-ahead log. `event_tallied.upto` is its position; readers add later events.
 */
export function sqliteEventTally(db: DatabaseSync) {
  const sql = prepared(db, SQL);
  let lastHour = 0;
  const keepBest = (since: number, most: number): void => {
    if (integer(sql.count.get(since)?.["n"]) > most) sql.keepBest.run(since, BEST_ADDRESSES, BEST_OF_OTHERS);
  };
  /** Merges the oldest hour of a day whose hours are no longer kept. Only one hour per step, so that no step takes long. */
  const fold = (hour: number): void => {
    const past = hour - MINUTES_FOR_MS;
    const day = past - (past % DAY_MS) - DAY_MS;
    const oldest = sql.firstHour.get(day, day + DAY_MS)?.["since"] ?? null;
    if (oldest === null) return;
    sql.fold.run(day, oldest);
    sql.drop.run(oldest);
    keepBest(day, KEPT_ADDRESSES);
  };
  return {
    /** Counts some events, oldest first. False once all are counted. Call it between transactions. Throws if it cannot write. */
    step: (most: number = EVENTS_PER_STEP): boolean => {
      const some = sql.next.get(most);
      const found = integer(some?.["n"]);
      if (found === 0) return false;
      const range = [integer(some?.["low"]), integer(some?.["high"])] as const;
      const hour = integer(some?.["hour"]);
      together(db, () => {
        sql.addresses.run(...range);
        sql.done.run(range[1], found);
        keepBest(hour, MOST_ADDRESSES);
        if (hour !== lastHour) keepBest(lastHour, KEPT_ADDRESSES);
        fold(hour);
        sql.forget.run(hour - RANKED_FOR_MS);
      });
      lastHour = hour;
      return found === most;
    },
  };
}

/** The weight of an event in the ranking of addresses. */
export const RANKED = {
  // A mail that a filter refuses has an earlier EMAIL event.
  mails: "type IN ('EMAIL', 'EMAIL_BLOCKED', 'EMAIL_DEFERRED') AND rest ->> '$.event' IS NOT 'CONTENT_REFUSED'",
  connections: "type IN ('CONNECT', 'CONNECT_REFUSED', 'CONNECT_DEFERRED')",
  rejected: `type IN ('CONNECT_REFUSED', 'CONNECT_DEFERRED', 'EMAIL_BLOCKED', 'EMAIL_DEFERRED',
    'LOGIN_REFUSED', 'LOGIN_FAILED')`,
  failures: "type IN ('LOGIN_REFUSED', 'LOGIN_FAILED')",
} as const;

export const BY_RANK = "mails DESC, connections DESC, rejected DESC, ip";

const WITHIN = `FROM event WHERE id BETWEEN ?1 AND ?2 AND ${TOOK_EFFECT}`;
const HOUR_OF = `at - at % ${ADDRESSES_SPAN_MS}`;
const ADD = `
  ON CONFLICT DO UPDATE SET mails = mails + excluded.mails, connections = connections + excluded.connections,
    rejected = rejected + excluded.rejected, failures = failures + excluded.failures`;
const best = (order: string, most: string): string =>
  `SELECT ip FROM (SELECT ip FROM address_tally WHERE since = ?1 ORDER BY ${order} LIMIT ${most})`;
const SQL = {
  next: `
    SELECT count(*) AS n, min(id) AS low, max(id) AS high, max(${HOUR_OF}) AS hour FROM
      (SELECT id, at FROM event WHERE id > (SELECT upto FROM event_tallied) ORDER BY id LIMIT ?)`,
  addresses: `
    INSERT INTO address_tally (since, ip, mails, connections, rejected, failures)
    SELECT ${HOUR_OF}, ip, sum(${RANKED.mails}), sum(${RANKED.connections}), sum(${RANKED.rejected}),
      sum(${RANKED.failures})
    ${WITHIN} AND ip IS NOT NULL AND prefix IS NOT NULL
      AND (${RANKED.mails} OR ${RANKED.connections} OR ${RANKED.rejected})
    GROUP BY 1, 2 ${ADD}`,
  done: "UPDATE event_tallied SET upto = ?, present = present + ?",
  forget: "DELETE FROM address_tally WHERE since < ?",
  count: "SELECT count(*) AS n FROM address_tally WHERE since = ?",
  keepBest: `
    DELETE FROM address_tally WHERE since = ?1 AND ip NOT IN
      (${best(BY_RANK, "?2")} UNION ${best("rejected DESC, ip", "?3")} UNION ${best("failures DESC, ip", "?3")})`,
  firstHour: "SELECT min(since) AS since FROM address_tally WHERE since > ? AND since < ?",
  fold: `
    INSERT INTO address_tally (since, ip, mails, connections, rejected, failures)
    SELECT ?1, ip, mails, connections, rejected, failures FROM address_tally WHERE since = ?2 ${ADD}`,
  drop: "DELETE FROM address_tally WHERE since = ?",
};
