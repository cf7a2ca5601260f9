import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Change } from "../../core/decision.ts";
import type { JailReported } from "../../core/event.ts";
import type { Heard } from "../../core/facts.ts";
import type { Prefix } from "../../core/ip.ts";
import { DAY_MS, instant, later, MINUTE_MS, type Millis, SECOND_MS } from "../../core/time.ts";
import { COUNTS_CODE, integerOrNull, text } from "./columns.ts";
import { covering } from "./network-bounds.ts";

/** Fail2ban never reaches back further than the longest window of a jail. */
const KEPT_MS = 7 * DAY_MS;
/** Dovecot writes of a failed login when the client hangs up, which takes three minutes at most. */
const LINE_LATE_MS = 4 * MINUTE_MS;
/** Logs tell whole seconds, and the guard may be told after the log. */
const LINE_EARLY_MS = 5 * SECOND_MS;

/** What `engine.db` knows of the reports of Fail2ban's jails. */
export class JailReports {
  readonly #judged: StatementSync;
  readonly #passwords: StatementSync;
  readonly #hear: StatementSync;
  readonly #forget: StatementSync;

  constructor(db: DatabaseSync) {
    // An instant later than now is from before the clock was set back, and proves nothing.
    this.#judged = db.prepare(`
      SELECT max(at) AS at FROM (
        SELECT line_at AS at FROM jail_report WHERE prefix = ?1 AND jail = ?2 AND line_at <= ?3
        UNION ALL SELECT created_at FROM ban WHERE prefix IN (SELECT value FROM json_each(?4)) AND created_at <= ?3)`);
    // Dovecot writes of what we refused unheard as of a wrong password. Known proofs come first.
    this.#passwords = db.prepare(`
      SELECT DISTINCT coalesce(e.proof, '') AS proof FROM event_by_subject AS s JOIN event AS e ON e.id = s.id
      WHERE s.subject = ? AND s.counts IN (0, ${COUNTS_CODE.login}) AND s.at > ? AND s.at <= ?
        AND e.type IN ('LOGIN_FAILED', 'LOGIN_REFUSED') ORDER BY proof DESC LIMIT 2`);
    this.#hear = db.prepare(`
      INSERT INTO jail_report (prefix, jail, line_at) VALUES (?1, ?2, ?3)
      ON CONFLICT DO UPDATE SET line_at = max(excluded.line_at, iif(line_at <= ?4, line_at, 0))`);
    this.#forget = db.prepare("DELETE FROM jail_report WHERE line_at < ?");
  }

  heard(subject: Prefix, { jail, lastAt, windowMs }: JailReported, now: Millis): Heard {
    const networks = JSON.stringify(covering(subject));
    const judged = integerOrNull(this.#judged.get(subject, jail, now, networks)?.["at"] ?? null);
    const since = later(lastAt, -(windowMs + LINE_LATE_MS));
    const passwords = this.#passwords.all(subject, since, later(lastAt, LINE_EARLY_MS));
    return {
      upTo: judged === null ? null : instant(judged),
      passwords: passwords.map((row) => text(row["proof"])),
    };
  }

  hear({ prefix, jail, at: lineAt }: Extract<Change, { type: "HEAR_JAIL" }>, at: Millis): void {
    this.#hear.run(prefix, jail, lineAt, at);
    this.#forget.run(later(at, -KEPT_MS));
  }
}
