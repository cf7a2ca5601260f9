import type { DatabaseSync } from "node:sqlite";
import type { SentMail } from "../../core/decide/facts.ts";
import { LOOPBACK, overlaps } from "../../core/net/ip.ts";
import { DAY_MS, instant } from "../../core/time.ts";
import type { HoldState, SendingHistory } from "../../guard/storage-ports.ts";
import { COUNTS_CODE, integer, LIMIT, millis, type Row, rowReader, text } from "../columns.ts";
import { prepared } from "../transactions.ts";

/** What accounts sent, and to whom. Uses the guard's own connection to `engine.db`. */
export function sqliteSendingHistory(db: DatabaseSync): SendingHistory {
  const sql = prepared(db, SQL);
  return {
    sentMails: (account, { since, until, most }) =>
      sql.sentMails.all(account, since, until, most).map(sentMail).reverse(),
    hasWritten: (account, address) => sql.hasWritten.get(address, account) !== undefined,
    knowsPlace: (account, place, { firstBy, decidedAfter }) => {
      const asked = { account, place, firstBy, decidedAfter };
      if (sql.knowsPlace.get(asked) !== undefined) return true;
      return LOOPBACK.some((own) => overlaps(own, place)) && sql.wroteFrom.get(asked) !== undefined;
    },
    holdOf: (account, now) => {
      const row = sql.hold.get(account, now);
      if (row === undefined) return NEVER;
      const vouchedAt = row["vouched_at"] === null ? NEVER.vouchedAt : millis(row["vouched_at"]);
      return { evidence: row["count"] === null ? null : evidence(row), vouchedAt, mails: integer(row["mails"]) };
    },
    refusals: (account, { since, until }) => integer(sql.refusals.get(account, since, until)?.["count"]),
  };
}

/** Faster than a `rowReader`, because a decision may read thousands of rows. */
function sentMail(row: Row): SentMail {
  return {
    at: millis(row["at"]),
    recipients: integer(row["recipients"]),
    written: integer(row["written"]),
    strangers: integer(row["strangers"]),
  };
}

const evidence = rowReader({ count: integer, limit: integer, windowMs: integer, key: text });

/** Maximum mails of an account that are searched for one from this machine. */
const MOST_MAILS = 500;

const NEVER: HoldState = { evidence: null, vouchedAt: instant(0), mails: 0 };

const SQL = {
  hold: `
    SELECT iif(released_at IS NULL, count, NULL) AS count, limit_count AS "limit", window_ms, limit_key AS key,
      iif(released_at IS NULL, (SELECT count(*) FROM held_mail WHERE account = ?1), 0) AS mails,
      (SELECT max(released_at) FROM account_hold WHERE account = ?1 AND released_at <= ?2) AS vouched_at
    FROM account_hold WHERE account = ?1 ORDER BY released_at IS NULL DESC LIMIT 1`,
  // A mail whose event was removed counts as one to a single recipient. Few events wait for their index.
  sentMails: `
    SELECT s.at, coalesce(json_extract(e.rest, '$.recipientCount'), 1) AS recipients,
      coalesce(json_extract(e.rest, '$.seen.sentTo.written'), 0) AS written,
      coalesce(json_extract(e.rest, '$.seen.sentTo.strangers'), 0) AS strangers
    FROM event_by_subject AS s LEFT JOIN event AS e ON e.id = s.id
    WHERE s.subject = ? AND s.counts = ${COUNTS_CODE.account_mail} AND s.at > ? AND s.at <= ?
    ORDER BY s.at DESC, s.id DESC ${LIMIT}`,
  refusals: "SELECT coalesce(sum(count), 0) AS count FROM refusal WHERE account = ? AND at > ? AND at <= ?",
  hasWritten: "SELECT 1 FROM correspondent WHERE address = ? AND account = ?",
  // A place that was new for a thief's mail does not become known through the thief's sign-ins.
  knowsPlace: `
    SELECT 1 FROM known_address AS known
    WHERE prefix = :place AND account = lower(:account) AND first_at <= :firstBy
      AND NOT EXISTS (
        SELECT 1 FROM account_hold AS hold WHERE account = :account AND prefix = :place
          AND dropped_at > :decidedAfter AND known.first_at > hold.at - ${DAY_MS})
    UNION ALL
    SELECT 1 FROM account_hold
    WHERE account = :account AND prefix = :place AND released_at > :decidedAfter AND dropped_at IS NULL LIMIT 1`,
  // For a webmail on this machine: its sign-ins are not kept, but the account's mails are.
  wroteFrom: `
    SELECT 1 FROM (
      SELECT id, at FROM event_by_subject
      WHERE subject = :account AND counts = ${COUNTS_CODE.account_mail} AND at <= :firstBy ORDER BY at DESC LIMIT ${MOST_MAILS}) AS s
    JOIN event AS e ON e.id = s.id
    WHERE e.prefix = :place AND NOT EXISTS (
      SELECT 1 FROM account_hold AS hold
      WHERE account = :account AND hold.prefix = :place AND dropped_at > :decidedAfter AND s.at > hold.at - ${DAY_MS}) LIMIT 1`,
};
