import { DAY_MS, instant, type Millis } from "../../core/time.ts";

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/** Postfix (postlogd(8)) and Dovecot: local time, without the year. */
const SYSLOG = /^([A-Z][a-z]{2}) ([ \d]\d) (\d\d):(\d\d):(\d\d) /;
/** svlogd(8) -tt: UTC. */
const SVLOGD = /^(\d{4}-\d\d-\d\d)_(\d\d:\d\d:\d\d(?:\.\d{1,3})?)\d* /;
/** Fail2ban (Python's logging): local time. */
const PYTHON = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d),(\d{3}) /;

/**
 * When a line was written, according to the line. Lines without a year get the latest one that is not more than a day
 * after `notAfter` (clocks are set, and time zones change). Null: the line does not start with a time.
 */
export function timeOfLine(line: string, notAfter: Millis): Millis | null {
  const syslog = SYSLOG.exec(line);
  if (syslog !== null) return withoutYear(syslog, notAfter);
  const svlogd = SVLOGD.exec(line);
  if (svlogd !== null) return parsed(`${svlogd[1]}T${svlogd[2]}Z`);
  const python = PYTHON.exec(line);
  return python === null ? null : parsed(`${python[1]}T${python[2]}.${python[3]}`);
}

function withoutYear(found: readonly string[], notAfter: Millis): Millis | null {
  const month = MONTHS.indexOf(found[1] ?? "");
  if (month < 0) return null;
  const [day = 0, hour = 0, minute = 0, second = 0] = found.slice(2).map(Number);
  const year = new Date(notAfter + DAY_MS).getFullYear();
  for (const candidate of [year, year - 1]) {
    const at = new Date(candidate, month, day, hour, minute, second).getTime();
    if (at <= notAfter + DAY_MS) return instant(at);
  }
  return null;
}

function parsed(text: string): Millis | null {
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : instant(at);
}
