import type { Service } from "../../core/events/event-types.ts";
import { DAY_MS, HOUR_MS, instant, type Millis } from "../../core/time.ts";

/** A line of mail.log, split into its parts. Strangers influence only `text`. */
export type MailLine = Readonly<{
  /** `smtpd`, `cleanup`, `lmtp`, `imap-login`, … */
  program: string;
  from: "postfix" | "dovecot";
  /** The service; null for programs that have none. */
  service: Service | null;
  severity: LogSeverity;
  /** The program's text, which may contain what strangers chose. */
  text: string;
}>;
type LogSeverity = "info" | "warning" | "error";

/** Bounds the text that is matched against patterns. Postfix cuts its own lines at 2,000 characters. */
export const LONGEST_LINE = 4_096;

/** The patterns below have the flag `s`, because a stranger's text may contain line separators of Unicode (U+2028), which end no line. */
const TIME = "[A-Z][a-z]{2} [ \\d]\\d \\d\\d:\\d\\d:\\d\\d";
/** `Nov 20 08:08:30 mail postfix/submission/smtpd[123]: text`, the name by `syslog_name`. */
const POSTFIX = new RegExp(`^${TIME} \\S+ postfix(?:/([a-z-]+))?/([a-z-]+)\\[\\d+\\]: (.*)$`, "s");
/** `Nov 20 08:08:30 imap-login: Info: text`, `… lmtp(anna@example.org)<12><session>: Info: text`. */
const DOVECOT = new RegExp(
  `^${TIME} ([a-z-]+)(?:\\([^() ]*\\))?(?:<[^<> ]*>)*: (Debug|Info|Warning|Error|Fatal|Panic): (.*)$`,
  "s",
);
const POSTFIX_SEVERITY = /^(warning|error|fatal|panic): /;
/** The directory of `mail_temp_dir`, which does not exist. Dovecot logs an error for each use, as for each encrypted mail that is read. */
export const DECODED_IN_MEMORY = "none-mail-is-decoded-in-memory";
const EXPECTED_ERROR = new RegExp(
  `^(?:istream-seekable: safe_mkstemp\\(|Temp file creation to )/\\S+/${DECODED_IN_MEMORY}/\\S+ failed: No such file`,
);

/** Null for a line of neither program. */
export function parseMailLine(line: string): MailLine | null {
  if (line.length > LONGEST_LINE) return null;
  const [, name = "", program, text = ""] = POSTFIX.exec(line) ?? [];
  if (program !== undefined) {
    const severity = severityOf(POSTFIX_SEVERITY.exec(text)?.[1]);
    return { program, from: "postfix", service: program === "smtpd" ? serviceOf(name) : null, severity, text };
  }
  const [, process, level, message = ""] = DOVECOT.exec(line) ?? [];
  if (process === undefined) return null;
  const severity = EXPECTED_ERROR.test(message) ? "info" : severityOf(level);
  const service = process === "imap-login" ? "imap" : null;
  return { program: process, from: "dovecot", service, severity, text: message };
}

function severityOf(level = "info"): LogSeverity {
  if (/^(?:debug|info)$/i.test(level)) return "info";
  return level.toLowerCase() === "warning" ? "warning" : "error";
}

function serviceOf(name: string): Service | null {
  return name === "" ? "smtp" : name === "submission" || name === "submissions" ? name : null;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/** Postfix (postlogd(8)) and Dovecot: local time, without the year. */
const SYSLOG = /^([A-Z][a-z]{2}) ([ \d]\d) (\d\d):(\d\d):(\d\d) /;
/** svlogd(8) -tt: UTC. */
const SVLOGD = /^(\d{4}-\d\d-\d\d)_(\d\d:\d\d:\d\d(?:\.\d{1,3})?)\d* /;
/** Fail2ban (Python's logging): local time. */
const PYTHON = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d),(\d{3}) /;

/**
 * When a line was written, according to the line. Lines without a year get the latest year in which they are at most a day after `notAfter`
 * (clocks are set, and time zones change). Null if the line does not start with a time.
 */
export function timeOfLine(line: string, notAfter: Millis): Millis | null {
  const syslog = SYSLOG.exec(line);
  if (syslog !== null) return withoutYear(syslog, notAfter);
  const svlogd = SVLOGD.exec(line);
  if (svlogd !== null) return parsed(`${svlogd[1]}T${svlogd[2]}Z`);
  const python = PYTHON.exec(line);
  const at = python === null ? null : parsed(`${python[1]}T${python[2]}.${python[3]}`);
  return at === null ? null : latestOf(at, notAfter);
}

function withoutYear(found: readonly string[], notAfter: Millis): Millis | null {
  const month = MONTHS.indexOf(found[1] ?? "");
  if (month < 0) return null;
  const [day = 0, hour = 0, minute = 0, second = 0] = found.slice(2).map(Number);
  const year = new Date(notAfter + DAY_MS).getFullYear();
  for (const candidate of [year, year - 1]) {
    const at = new Date(candidate, month, day, hour, minute, second).getTime();
    if (at <= notAfter + DAY_MS) return latestOf(at, notAfter);
  }
  return null;
}

/** When summer time ends, an hour of local time comes twice: returns the second unless it is yet to come. */
function latestOf(at: number, notAfter: Millis): Millis {
  const again = instant(at + HOUR_MS);
  return again <= notAfter && new Date(again).getHours() === new Date(at).getHours() ? again : instant(at);
}

function parsed(text: string): Millis | null {
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : instant(at);
}
