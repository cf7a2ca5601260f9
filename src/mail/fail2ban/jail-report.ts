import * as z from "zod/mini";
import { isObject, lazily, readFields, text, texts, wholeNumber } from "../../admin/declare/fields.ts";
import { isAboutLogins, isJailName } from "../../core/decide/jails.ts";
import { smtpReplyOf } from "../../core/events/reasons.ts";
import { type JailLine, type JailReported, LIVE_REFUSALS } from "../../core/events/report.ts";
import { type Ip, parseIp } from "../../core/net/ip.ts";
import { parseJson } from "../../core/text.ts";
import { instant, type Millis, SECOND_MS } from "../../core/time.ts";
import type { Failed } from "../../guard/ports.ts";
import { parseMailLine, timeOfLine } from "../logs/log-line.ts";
import { CLIENT, PATH, STATE } from "../logs/patterns.ts";

export type JailReportRead = Readonly<{ ok: true; report: JailReported }> | Failed;

/** Maximum lines of a report: as many as any jail can need, so that a report contains everything that caused it. */
export const MOST_LINES = 100;
const LONGEST_LINE = 1_000;
const MOST_FAILURES = 1_000_000;
const LONGEST_SECONDS = 366 * 24 * 60 * 60;
/** The year 9999. */
const LAST_SECOND = 253_402_300_799;

/** As Fail2ban's action writes it: times in seconds since the Unix epoch. */
const report = lazily(() =>
  z.strictObject({
    jail: text(40),
    ip: text(45),
    failures: wholeNumber(1, MOST_FAILURES),
    limit: wholeNumber(1, MOST_FAILURES),
    windowSeconds: wholeNumber(1, LONGEST_SECONDS),
    banSeconds: wholeNumber(1, LONGEST_SECONDS),
    lastAt: wholeNumber(0, LAST_SECOND),
    lines: texts(MOST_LINES, LONGEST_LINE),
  }),
);

export function parseJailReport(written: string): JailReportRead {
  const json = parseJson(written);
  if (!isObject(json)) return { ok: false, reason: "It is not a JSON object." };
  const read = readFields(report(), json);
  if (!read.ok) return { ok: false, reason: read.problem };
  const { jail, failures, limit, lines } = read.value;
  const ip = parseIp(read.value.ip);
  if (!isJailName(jail)) return { ok: false, reason: "No jail has this name." };
  if (ip === null) return { ok: false, reason: "It names no IP address." };
  const lastAt = instant(read.value.lastAt * SECOND_MS);
  return {
    ok: true,
    report: {
      type: "JAIL_REPORTED",
      ip,
      clientName: clientNameIn(lines.at(-1) ?? "", ip),
      jail,
      failures,
      limit,
      windowMs: read.value.windowSeconds * SECOND_MS,
      banMs: read.value.banSeconds * SECOND_MS,
      lastAt,
      lines: lines.map((line) => readJailLine(line, jail, lastAt)),
    },
  };
}

/**
 * The host name that Postfix writes before the address, ahead of anything that the client chose; "unknown" if name and
 * address do not confirm each other.
 */
function clientNameIn(line: string, ip: Ip): string | null {
  const parsed = parseMailLine(line);
  if (parsed?.from !== "postfix") return null;
  const [, name = "unknown", address] = /^[^[<"]*?([^\s[]+)\[([^\]]*)\]/.exec(parsed.text) ?? [];
  return address === ip && name !== "unknown" ? name : null;
}

/** Reads a line that a jail matched. `lastAt`: when the last line of the report was written. */
export function readJailLine(text: string, jail: string, lastAt: Millis): JailLine {
  const at = timeOfLine(text, lastAt) ?? lastAt;
  return { text, at: at < lastAt ? at : lastAt, about: isAboutLogins(jail) ? "login" : aboutWhat(text) };
}

/** The end of a session with failed sign-ins or refused recipients is not a further offence. */
const ENDED = new RegExp(`^(?:lost connection after AUTH|too many errors after (?<state>AUTH|RCPT)) from ${CLIENT}$`);
/** `QUEUEID: reject: STATE from CLIENT: CODE <what it was about>: Recipient address rejected: WORDS` (smtpd(8)). */
const REFUSED = new RegExp(
  `^\\w{1,23}: reject: ${STATE} from ${CLIENT}: [45]\\d\\d [45]\\.\\d\\.\\d{1,3} ${PATH}: [A-Z][A-Za-z -]{1,40} rejected: ` +
    `(?:${LIVE_REFUSALS.map(wordsOf).join("|")})(?:;|$)`,
);

function aboutWhat(line: string): JailLine["about"] {
  const parsed = parseMailLine(line);
  if (parsed === null || parsed.program !== "smtpd") return "log";
  if (REFUSED.test(parsed.text)) return "refusal";
  const ended = ENDED.exec(parsed.text);
  if (ended === null) return "log";
  return ended.groups?.["state"] === "RCPT" ? "refusal" : "login";
}

/** A refusal's text as a pattern, without the codes. */
function wordsOf(reason: (typeof LIVE_REFUSALS)[number]): string {
  const words = (smtpReplyOf(reason) ?? "").replace(/^\d{3} (?:\d\.\d\.\d{1,3} )?/, "");
  const escaped = words.replace(/[.*+?^$()|[\]\\]/g, "\\$&");
  return escaped.replace("{ip}", "[0-9a-f.:]{2,45}").replace("{zone}", "[\\w.-]{1,255}");
}
