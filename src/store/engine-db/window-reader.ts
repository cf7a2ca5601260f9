import type { DatabaseSync } from "node:sqlite";
import type { FailedLogin } from "../../core/decide/facts.ts";
import type { Millis } from "../../core/time.ts";
import { COUNTS_CODE, LIMIT, millis, millisOrNull, text } from "../columns.ts";
import { prepared } from "../transactions.ts";

/** Events after this time and this id. Several events may share a millisecond, one before a ban and one after it. */
export type Stretch = Readonly<{ since: Millis; after: number; most: number }>;

/**
 * Reads the windows of an address. `event_subject` is enough once its events were added to it;
 * `event_by_subject` also includes waiting events, but has to read all of them.
 */
export function sqliteWindowReader(db: DatabaseSync, from: "event_subject" | "event_by_subject") {
  const any = (counts: number): string => `EXISTS (SELECT 1 FROM ${from} WHERE subject = ?1 AND counts = ${counts})`;
  const sql = prepared(db, {
    stored: `
      SELECT ${any(COUNTS_CODE.connection)} AS connections, ${any(COUNTS_CODE.mail)} AS mails,
        ${any(COUNTS_CODE.login)} AS logins, ${any(COUNTS_CODE.probe)} AS probes,
        ${any(COUNTS_CODE.bounce)} AS bounces, EXISTS (SELECT 1 FROM ban WHERE prefix = ?1) AS bans,
        (SELECT max(last_at) FROM known_address WHERE prefix = ?2) AS known`,
    times: `
      SELECT at FROM ${from} WHERE subject = ? AND counts = ? AND at > ? AND id > ? ORDER BY at DESC, id DESC ${LIMIT}`,
    failures: `
      SELECT s.at, coalesce(e.proof, '') AS proof, lower(coalesce(e.account, '')) AS account, s.id <= ? AS spent
      FROM ${from} AS s LEFT JOIN event AS e ON e.id = s.id
      WHERE s.subject = ? AND s.counts = ${COUNTS_CODE.login} AND s.at > ? AND s.id > ?
      ORDER BY s.at DESC, s.id DESC ${LIMIT}`,
  });
  return {
    /** What is stored about an address: which windows have events, whether it was ever banned, and when it was known. */
    stored: (subject: string, place: string) => {
      const row = sql.stored.get(subject, place);
      return {
        connections: row?.["connections"] === 1,
        mails: row?.["mails"] === 1,
        logins: row?.["logins"] === 1,
        probes: row?.["probes"] === 1,
        bounces: row?.["bounces"] === 1,
        bans: row?.["bans"] === 1,
        knownAt: millisOrNull(row?.["known"] ?? null),
      };
    },
    /** Ascending; the newest if there are more than `most`. */
    times: (subject: string, window: keyof typeof COUNTS_CODE, { since, after, most }: Stretch): readonly Millis[] =>
      sql.times
        .all(subject, COUNTS_CODE[window], since, after, most)
        .map((row) => millis(row["at"]))
        .reverse(),
    /** Failures up to the event `countsAfter` are `spent`. */
    failures: (subject: string, { since, after, most }: Stretch, countsAfter: number): readonly FailedLogin[] =>
      sql.failures
        .all(countsAfter, subject, since, after, most)
        .map((row) => {
          const failure = { at: millis(row["at"]), passwordHash: text(row["proof"]), account: text(row["account"]) };
          return row["spent"] === 1 ? { ...failure, spent: true as const } : failure;
        })
        .reverse(),
  };
}
