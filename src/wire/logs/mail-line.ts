import type { Service } from "../../core/events/service.ts";

/** A line of mail.log, split into the parts that only Postfix and Dovecot write. A stranger chooses none of them. */
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
export type LogSeverity = "info" | "warning" | "error";

/** Postfix cuts its own at 2,000 characters; text that is matched against a pattern has a bound. */
export const LONGEST_LINE = 4_096;

const TIME = "[A-Z][a-z]{2} [ \\d]\\d \\d\\d:\\d\\d:\\d\\d";
/** `Nov 20 08:08:30 mail postfix/submission/smtpd[123]: text`, the name by `syslog_name`. */
const POSTFIX = new RegExp(`^${TIME} \\S+ postfix(?:/([a-z-]+))?/([a-z]+)\\[\\d+\\]: (.*)$`);
/** `Nov 20 08:08:30 imap-login: Info: text`, `… lmtp(anna@example.org)<12><session>: Info: text`. */
const DOVECOT = new RegExp(`^${TIME} ([a-z-]+)(?:\\([^() ]*\\))?(?:<[^<> ]*>)*: ([A-Z][a-z]+): (.*)$`);

const POSTFIX_SEVERITY = /^(warning|error|fatal|panic): /;
const DOVECOT_SEVERITY: Readonly<Record<string, LogSeverity>> = {
  Debug: "info",
  Info: "info",
  Warning: "warning",
  Error: "error",
  Fatal: "error",
  Panic: "error",
};

/** Null: a line of neither. */
export function parseMailLine(line: string): MailLine | null {
  if (line.length > LONGEST_LINE) return null;
  const [, name = "", program, text = ""] = POSTFIX.exec(line) ?? [];
  if (program !== undefined) {
    const [, word] = POSTFIX_SEVERITY.exec(text) ?? [];
    const severity = word === undefined ? "info" : word === "warning" ? "warning" : "error";
    return { program, from: "postfix", service: program === "smtpd" ? serviceOf(name) : null, severity, text };
  }
  const [, process, word = "", said = ""] = DOVECOT.exec(line) ?? [];
  const severity = Object.hasOwn(DOVECOT_SEVERITY, word) ? DOVECOT_SEVERITY[word] : undefined;
  if (process === undefined || severity === undefined) return null;
  return { program: process, from: "dovecot", service: process === "imap-login" ? "imap" : null, severity, text: said };
}

function serviceOf(name: string): Service | null {
  return name === "" ? "smtp" : name === "submission" || name === "submissions" ? name : null;
}
