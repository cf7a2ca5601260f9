import type { StatementSync } from "node:sqlite";
import { typesWhere } from "../../core/events/event-types.ts";
import { HOUR_MS } from "../../core/time.ts";
import { COUNTS_CODE, sqlList } from "../columns.ts";

/** How events of one kind are removed, by their lowest and highest id. */
export type Removal = Readonly<
  Record<"countKept" | "summarise" | "forget" | "forgetAccount" | "forgetNames" | "uncount" | "remove", StatementSync>
>;

/** Kept longest: bans, and administrators' actions. SPARED is not among them, because it recurs with each report of a jail. */
const KEPT = typesWhere(({ kind }) => kind === "command");

/** All other events; a flood may bring a million. */
export const ROUTINE = `type NOT IN (${sqlList(KEPT)})`;

export function retentionStatements(sql: (text: string) => StatementSync) {
  // The newest event always stays: SQLite would give its id to the next one, and ids are cursors. An event removed
  // before it entered its index would be missing from the windows too.
  const spare = "id < (SELECT max(id) FROM event) AND id <= (SELECT upto FROM event_indexed)";
  const removal = (which: string): Removal => {
    const within = `id BETWEEN ?1 AND ?2 AND ${which}`;
    const forget = (subject: "prefix" | "account", more: string): string => `
      DELETE FROM event_subject WHERE (subject, counts, at, id) IN (
        SELECT ${subject}, counts, at, id FROM event
        WHERE ${within} AND ${subject} IS NOT NULL AND ${more} AND (counts = 0 OR at < ?3))`;
    return {
      countKept: sql(`SELECT count(*) AS n FROM event WHERE ${within} AND counts > 0 AND at >= ?3`),
      summarise: sql(`
        INSERT INTO event_summary (hour, type, reason, count)
        SELECT at - at % ${HOUR_MS}, type, coalesce(reason, ''), count(*) FROM event WHERE ${within} GROUP BY 1, 2, 3
        ON CONFLICT DO UPDATE SET count = count + excluded.count`),
      forget: sql(forget("prefix", "true")),
      forgetAccount: sql(forget("account", `counts = ${COUNTS_CODE.account_mail}`)),
      forgetNames: sql(`
        DELETE FROM event_name WHERE (role, name, id) IN (SELECT role, name, id FROM event_names WHERE ${within})`),
      uncount: sql(`
        UPDATE event_tallied
        SET present = present - (SELECT count(*) FROM event WHERE ${within} AND id <= event_tallied.upto)`),
      remove: sql(`DELETE FROM event WHERE ${within}`),
    };
  };
  const drop = (table: string, key: string, which: string): StatementSync =>
    sql(`DELETE FROM ${table} WHERE (${key}) IN (SELECT ${key} FROM ${table} ${which} LIMIT ?)`);
  return {
    pageCount: sql("PRAGMA page_count"),
    freePages: sql("PRAGMA freelist_count"),
    pageSize: sql("PRAGMA page_size"),
    lastMinute: sql("SELECT max(minute) AS at FROM event_minute WHERE minute <= ?"),
    firstRoutine: sql(`SELECT id, at FROM event WHERE id >= ? AND ${spare} AND ${ROUTINE} ORDER BY id LIMIT 1`),
    countOlder: sql(`
      SELECT count(*) AS n FROM
        (SELECT at FROM event WHERE id >= ?1 AND ${spare} AND ${ROUTINE} ORDER BY id LIMIT ?3) WHERE at < ?2`),
    routine: sql(`
      SELECT min(id) AS low, max(id) AS high, count(*) AS n FROM
        (SELECT id FROM event WHERE id >= ? AND ${spare} AND ${ROUTINE} ORDER BY id LIMIT ?)`),
    oldest: sql(`
      SELECT min(id) AS low, max(id) AS high FROM (SELECT id FROM event WHERE ${spare} ORDER BY id LIMIT ?)`),
    routineOnly: removal(ROUTINE),
    any: removal("true"),
    dropEntry: sql("DELETE FROM event_subject WHERE subject = ? AND counts = ? AND at = ? AND id = ?"),
    guessesAfter: sql("SELECT 1 FROM guess WHERE at > ? LIMIT 1 OFFSET ?"),
    dropGuesses: drop("guess", "account, network, proof", "WHERE at < ? ORDER BY at"),
    dropGuess: sql("DELETE FROM guess WHERE account = ? AND network = ? AND proof = ? AND at = ?"),
    dropKnown: drop("known_address", "prefix, account", "WHERE last_at < ?"),
    dropOldBans: drop("ban", "id", "WHERE ended_at < ? ORDER BY ended_at"),
    dropManyBans: drop("ban", "id", "WHERE ended_at IS NOT NULL ORDER BY ended_at"),
    dropSteps: drop("ban_step", "id", "WHERE at < ? AND id <= (SELECT max(id) FROM ban_step) - ? ORDER BY id"),
    // Removes only from the front. If the clock was set back, an older entry waits for those before it, so the chain has no hole.
    dropAudit: sql(`
      DELETE FROM audit_entry WHERE id IN (SELECT id FROM (
        SELECT id, max(at) OVER (ORDER BY id) AS latest FROM
          (SELECT id, at FROM audit_entry WHERE id <= (SELECT max(id) FROM audit_entry) - ?2 ORDER BY id LIMIT ?4))
        WHERE latest < ?1 OR id <= (SELECT max(id) FROM audit_entry) - ?3)`),
    dropOldCorrespondents: drop("correspondent", "address, account", "WHERE last_at < ? ORDER BY last_at"),
    dropManyCorrespondents: drop("correspondent", "address, account", "ORDER BY last_at"),
    dropOldHonest: drop("honest_mail", "network, prefix, day", "WHERE day < ? ORDER BY day"),
    dropManyHonest: drop("honest_mail", "network, prefix, day", "ORDER BY day"),
    dropSummary: drop("event_summary", "hour, type, reason", "WHERE hour < ?"),
  };
}
