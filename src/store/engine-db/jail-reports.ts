import type { DatabaseSync } from "node:sqlite";
import type { Change } from "../../core/decide/decision.ts";
import type { PriorReports } from "../../core/decide/facts.ts";
import { type JailLine, type JailReported, LIVE_REFUSALS } from "../../core/events/report.ts";
import { covering, type Prefix } from "../../core/net/ip.ts";
import { DAY_MS, instant, later, MINUTE_MS, type Millis, SECOND_MS } from "../../core/time.ts";
import { COUNTS_CODE, integerOrNull, millis, sqlList, text, textOrNull } from "../columns.ts";
import { prepared } from "../transactions.ts";

/** Fail2ban never reaches back further than the longest window of a jail. */
const KEPT_MS = 7 * DAY_MS;
/** Dovecot logs a failed login when the client hangs up, after three minutes at most. */
const LOGIN_LATE_MS = 4 * MINUTE_MS;
/** Fail2ban's filter finds two lines for one failed sign-in: the failure and the end of the connection. */
const LINES_A_LOGIN = 2;
/** More than a report has lines. */
const MOST_LOGINS = 256;
/** Postfix logs a refusal by the guard at once. Its pauses before many refusals can delay the log by up to this much. */
const REFUSAL_LATE_MS = 15 * SECOND_MS;
/** Logs have whole seconds, and the guard may learn of an event after it was logged. */
const EARLY_MS = 5 * SECOND_MS;

/** The events of an address in a period that count as one of these, or not at all. */
const eventsOf = (...codes: readonly number[]): string => `
  FROM event_by_subject AS s JOIN event AS e ON e.id = s.id
  WHERE s.subject = ? AND s.counts IN (0, ${codes.join(", ")}) AND s.at > ? AND s.at <= ?`;

/** The memory of reports from Fail2ban's jails, in `engine.db`. */
export function sqliteJailReports(db: DatabaseSync) {
  const sql = prepared(db, {
    // A time after now is from before the clock was set back, and proves nothing.
    judged: `
      SELECT j.line_at AS reported, j.unjudged AS unjudged, (
        SELECT max(created_at) FROM ban WHERE prefix IN (SELECT value FROM json_each(?4)) AND created_at <= ?3) AS answered
      FROM (SELECT 1) LEFT JOIN jail_report AS j ON j.prefix = ?1 AND j.jail = ?2 AND j.line_at <= ?3`,
    // Dovecot logs a sign-in that was refused without a check as a wrong password. Known hashes come first.
    passwords: `
      SELECT DISTINCT coalesce(e.proof, '') AS proof ${eventsOf(COUNTS_CODE.login)}
        AND e.type IN ('LOGIN_FAILED', 'LOGIN_REFUSED') ORDER BY proof DESC LIMIT 2`,
    // Events read from the log of a time when the guard was down have their own reason.
    logins: `
      SELECT s.at AS at ${eventsOf(COUNTS_CODE.login)}
        AND e.type IN ('LOGIN_FAILED', 'LOGIN_REFUSED') AND e.reason <> 'unseen_login_failure' ORDER BY s.at DESC LIMIT ${MOST_LOGINS}`,
    sawRefusal: `
      SELECT 1 ${eventsOf(COUNTS_CODE.connection, COUNTS_CODE.mail, COUNTS_CODE.probe, COUNTS_CODE.bounce)}
        AND e.type IN ('EMAIL_BLOCKED', 'EMAIL_DEFERRED', 'CONNECT_REFUSED', 'CONNECT_DEFERRED')
        AND e.reason IN (${sqlList(LIVE_REFUSALS)}) AND e.rest ->> '$.event' IS NOT 'CLIENT_FAULT' LIMIT 1`,
    note: `
      INSERT INTO jail_report (prefix, jail, line_at, unjudged) VALUES (?1, ?2, ?3, ?5)
      ON CONFLICT DO UPDATE SET line_at = max(excluded.line_at, iif(line_at <= ?4, line_at, 0)), unjudged = excluded.unjudged`,
    forget: "DELETE FROM jail_report WHERE line_at < ?",
  });
  /**
   * Returns a function that says for each line, called oldest first, whether the guard decided on it when it was written. A
   * sign-in that the guard decided on accounts only for its own lines. Otherwise it could excuse all guesses made while the
   * guard was down.
   */
  const judgedAmong = (prefix: Prefix, lines: JailReported["lines"]): ((line: JailLine) => boolean) => {
    const times = lines.filter(({ about }) => about === "login").map(({ at }) => at);
    const since = instant(Math.min(...times) - LOGIN_LATE_MS);
    const found = times.length === 0 ? [] : sql.logins.all(prefix, since, instant(Math.max(...times) + EARLY_MS));
    const logins = found.map((row) => ({ at: millis(row["at"]), left: LINES_A_LOGIN })).reverse();
    return ({ about, at }) => {
      if (about === "log") return false;
      if (about === "refusal")
        return sql.sawRefusal.get(prefix, later(at, -REFUSAL_LATE_MS), later(at, EARLY_MS)) !== undefined;
      const own = logins.find((login) => login.left > 0 && login.at > at - LOGIN_LATE_MS && login.at <= at + EARLY_MS);
      if (own !== undefined) own.left--;
      return own !== undefined;
    };
  };
  return {
    priorReports: (prefix: Prefix, { jail, lastAt, windowMs, lines }: JailReported, now: Millis): PriorReports => {
      const row = sql.judged.get(prefix, jail, now, JSON.stringify(covering(prefix)));
      const reported = integerOrNull(row?.["reported"] ?? null);
      const answered = integerOrNull(row?.["answered"] ?? null);
      const upTo = reported === null ? answered : Math.max(reported, answered ?? reported);
      const since = later(lastAt, -(windowMs + LOGIN_LATE_MS));
      const passwords = sql.passwords.all(prefix, since, later(lastAt, EARLY_MS));
      const isJudged = judgedAmong(prefix, lines);
      const carried = instants(textOrNull(row?.["unjudged"] ?? null) ?? "");
      return {
        upTo: upTo === null ? null : instant(upTo),
        passwords: passwords.map((found) => text(found["proof"])),
        unjudged: [
          ...carried.filter((at) => at > lastAt - windowMs && (answered === null || at > answered)),
          ...lines
            .toSorted((a, b) => a.at - b.at)
            .filter((line) => !isJudged(line) && (upTo === null || line.at > upTo))
            .map(({ at }) => at),
        ],
      };
    },
    note: ({ prefix, jail, at: lineAt, unjudged }: Extract<Change, { type: "NOTE_REPORT" }>, at: Millis): void => {
      sql.note.run(prefix, jail, lineAt, at, unjudged.join(" "));
      sql.forget.run(later(at, -KEPT_MS));
    },
  };
}
function instants(written: string): readonly Millis[] {
  return written === "" ? [] : written.split(" ").map((at) => instant(Number(at)));
}
