import { isJailName } from "../../core/decide/jails.ts";
import type { JailReported } from "../../core/events/event.ts";
import { type Ip, parseIp } from "../../core/net/ip.ts";
import { instant, SECOND_MS } from "../../core/time.ts";
import { FieldReader } from "../control/field-reader.ts";
import { readJailLine } from "./jail-line.ts";

export type JailReportRead = Readonly<{ ok: true; report: JailReported }> | Readonly<{ ok: false; reason: string }>;

const MOST_LINES = 20;
const LONGEST_LINE = 1_000;
const MOST_FAILURES = 1_000_000;
const LONGEST_SECONDS = 366 * 24 * 60 * 60;
/** The year 9999. */
const LAST_SECOND = 253_402_300_799;

/** A report as Fail2ban's action writes it: one JSON object, times in seconds since the Unix epoch. */
export function parseJailReport(text: string): JailReportRead {
  const json = parseObject(text);
  if (json === null) return { ok: false, reason: "It is no JSON object." };
  const fields = new FieldReader(json);
  const jail = fields.text("jail", 40);
  const ip = parseIp(fields.text("ip", 45));
  const lines = fields.texts("lines", MOST_LINES, LONGEST_LINE);
  const lastAt = instant(fields.wholeNumber("lastAt", 0, LAST_SECOND) * SECOND_MS);
  const report = {
    jail,
    failures: fields.wholeNumber("failures", 1, MOST_FAILURES),
    limit: fields.wholeNumber("limit", 1, MOST_FAILURES),
    windowMs: fields.wholeNumber("windowSeconds", 1, LONGEST_SECONDS) * SECOND_MS,
    banMs: fields.wholeNumber("banSeconds", 1, LONGEST_SECONDS) * SECOND_MS,
    lastAt,
    lines: lines.map((line) => readJailLine(line, jail, lastAt)),
  };
  const problem = fields.problem();
  if (problem !== null) return { ok: false, reason: problem };
  if (!isJailName(jail)) return { ok: false, reason: "No jail is called so." };
  if (ip === null) return { ok: false, reason: "It names no IP address." };
  return {
    ok: true,
    report: { type: "JAIL_REPORTED", ip, clientName: clientNameIn(lines.at(-1) ?? "", ip), ...report },
  };
}

/**
 * The host name that Postfix writes before the address, ahead of anything that the client chose; "unknown" where the
 * name and the address do not confirm each other.
 */
function clientNameIn(line: string, ip: Ip): string | null {
  const [, said = ""] = /^\w{3} [ \d]\d [\d:]{8} \S+ postfix\/[\w/-]+\[\d+\]: (.*)$/s.exec(line) ?? [];
  const [, name = "unknown", address] = /^[^[<"]*?([^\s[]+)\[([^\]]*)\]/.exec(said) ?? [];
  return address === ip && name !== "unknown" ? name : null;
}

function parseObject(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value))
      : null;
  } catch {
    return null;
  }
}
