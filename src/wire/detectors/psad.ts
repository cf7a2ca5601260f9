import { parseIp } from "../../core/net/ip.ts";
import { instant, type Millis } from "../../core/time.ts";
import { timeOfLine } from "../logs/log-time.ts";
import type { Alert } from "./suricata.ts";

/**
 * `scan detected (STYLE): SOURCE -> TARGET tcp: [1-1024] flags: SYN tcp pkts: 92 DL: 3 total scan dsts: 1` (psad, sub
 * scan_logr), as syslog writes it: with the local time without a year, or as RFC 3339.
 */
const SCAN =
  /^psad(?:\[\d{1,10}\])?: (scan detected (?:\([^()]{1,80}\): )?([0-9a-f.:]{2,45}) -> [0-9a-f.:]{2,45} .{0,400})$/;
const LEVEL = / DL: ([1-5]) total scan dsts: \d{1,10}$/;
const TRADITIONAL = /^[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d [\w.-]{1,255} /;
const RFC_3339 = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)) [\w.-]{1,255} /;

/** A scan of at least this danger level, from 1 to 5; null for any other line. `notAfter`: the time now. */
export function readPsad(line: string, dangerLevel: number, notAfter: Millis): Alert | null {
  const head = RFC_3339.exec(line) ?? TRADITIONAL.exec(line);
  if (head === null) return null;
  const [, text = "", source = ""] = SCAN.exec(line.slice(head[0].length)) ?? [];
  const level = Number(LEVEL.exec(text)?.[1] ?? 0);
  const ip = parseIp(source);
  if (ip === null || level < dangerLevel) return null;
  const at = head[1] === undefined ? timeOfLine(line, notAfter) : Date.parse(head[1]);
  return at === null || Number.isNaN(at) ? null : { ip, at: instant(at), text };
}
