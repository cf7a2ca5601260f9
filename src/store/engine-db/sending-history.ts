import type { DatabaseSync } from "node:sqlite";
import type { SentMail } from "../../core/decide/facts.ts";
import type { Prefix } from "../../core/net/ip.ts";
import { DAY_MS, type Millis } from "../../core/time.ts";
import type { HoldState, PlaceTimes, SendingHistory } from "../../guard/storage-ports.ts";
import { COUNTS_CODE, integer, LIMIT, millis } from "../columns.ts";
import { type Prepared, prepared } from "../transactions.ts";
import { AccountHolds } from "./held-mail.ts";

/** What accounts sent, and to whom. Uses the guard's own connection to `engine.db`. */
export class SqliteSendingHistory implements SendingHistory {
  readonly #sql: Prepared<typeof SQL>;
  readonly #holds: AccountHolds;

  constructor(db: DatabaseSync) {
    this.#sql = prepared(db, SQL);
    this.#holds = new AccountHolds(db);
  }

  sentMails(account: string, since: Millis, most: number): readonly SentMail[] {
    return this.#sql.sentMails
      .all(account, since, most)
      .map((row) => ({
        at: millis(row["at"]),
        recipients: integer(row["recipients"]),
        written: integer(row["written"]),
        strangers: integer(row["strangers"]),
      }))
      .reverse();
  }

  hasWritten(account: string, address: string): boolean {
    return this.#sql.hasWritten.get(address, account) !== undefined;
  }

  knowsPlace(account: string, place: Prefix, { firstBy, decidedAfter }: PlaceTimes): boolean {
    return this.#sql.knowsPlace.get({ account, place, firstBy, decidedAfter }) !== undefined;
  }

  holdOf(account: string): HoldState {
    return this.#holds.of(account);
  }

  refusals(account: string, since: Millis): number {
    return integer(this.#sql.refusals.get(account, since)?.["count"] ?? 0);
  }
}

const SQL = {
  // For a mail whose event was removed, only the count is known. Few events wait for their index.
  sentMails: `
    SELECT s.at, coalesce(json_extract(e.rest, '$.recipientCount'), 1) AS recipients,
      coalesce(json_extract(e.rest, '$.seen.sentTo.written'), 0) AS written,
      coalesce(json_extract(e.rest, '$.seen.sentTo.strangers'), 0) AS strangers
    FROM event_by_subject AS s LEFT JOIN event AS e ON e.id = s.id
    WHERE s.subject = ? AND s.counts = ${COUNTS_CODE.account_mail} AND s.at > ? ORDER BY s.at DESC, s.id DESC ${LIMIT}`,
  refusals: "SELECT coalesce(sum(count), 0) AS count FROM refusal WHERE account = ? AND at > ?",
  hasWritten: "SELECT 1 FROM correspondent WHERE address = ? AND account = ?",
  // A place that was new for a thief's mail does not become known through the thief's sign-ins.
  knowsPlace: `
    SELECT 1 FROM known_address AS known
    WHERE prefix = :place AND lower(account) = lower(:account) AND first_at <= :firstBy
      AND NOT EXISTS (
        SELECT 1 FROM account_hold AS hold WHERE account = :account AND prefix = :place
          AND dropped_at > :decidedAfter AND known.first_at > hold.at - ${DAY_MS})
    UNION ALL
    SELECT 1 FROM account_hold
    WHERE account = :account AND prefix = :place AND released_at > :decidedAfter AND dropped_at IS NULL LIMIT 1`,
};
