import * as z from "zod/mini";
import { isObject, lazily, readFields, wholeNumber } from "../../admin/declare/fields.ts";
import { type Ip, parseIp } from "../../core/net/ip.ts";
import { parseJson } from "../../core/text.ts";
import { instant, type Millis } from "../../core/time.ts";
import { timeOfLine } from "../logs/log-line.ts";

/** What a detector found one address doing. `text` is evidence for people, with words that the address may have chosen. */
export type Alert = Readonly<{ ip: Ip; at: Millis; text: string }>;

/** Suricata's own lines have a few kilobytes; a piece of a longer one is not valid JSON. */
const LONGEST_LINE = 128 * 1024;
const LONGEST_NAME = 120;
/** What Suricata writes if it could not identify the protocol of a connection. */
const NO_PROTOCOL: readonly string[] = ["failed", "unknown", ""];

const port = () => wholeNumber(0, 65_535);
const eve = lazily(() =>
  z.object({
    timestamp: z.string(),
    event_type: z.literal("alert"),
    src_ip: z.string(),
    src_port: port(),
    dest_port: port(),
    proto: z.string(),
    app_proto: z.string(),
    direction: z.optional(z.string()),
    alert: z.object({
      signature_id: wholeNumber(0, 4_294_967_295),
      signature: z.string(),
      severity: wholeNumber(1, 255),
    }),
  }),
);

/**
 * Returns the alert in a line of eve.json (docs.suricata.io, Eve JSON Format), if it counts against the address: it must be at least as
 * severe as `severity` (1 is the most severe), and about what a client sent over an established TCP connection, because addresses of other
 * packets can be forged. Suricata names a protocol only after it has read both sides.
 */
export function readSuricata(line: string, severity: number): Alert | null {
  if (line.length > LONGEST_LINE || !line.includes('"alert"')) return null;
  const json = parseJson(line);
  if (!isObject(json)) return null;
  const read = readFields(eve(), json);
  if (!read.ok) return null;
  const { alert, proto, app_proto: application, dest_port: port, ...seen } = read.value;
  if (proto !== "TCP" || NO_PROTOCOL.includes(application) || alert.severity > severity) return null;
  // Suricata 7 logs the direction. In logs of earlier versions, the lower port is the server's.
  if (seen.direction === undefined ? port > seen.src_port : seen.direction !== "to_server") return null;
  const ip = parseIp(seen.src_ip);
  const at = Date.parse(seen.timestamp);
  if (ip === null || Number.isNaN(at)) return null;
  const name = alert.signature.slice(0, LONGEST_NAME);
  return { ip, at: instant(at), text: `${alert.signature_id} ${name}, severity ${alert.severity}, port ${port}` };
}

/**
 * `scan detected (STYLE): SOURCE -> TARGET tcp: [1-1024] flags: SYN tcp pkts: 92 DL: 3 total scan dsts: 1` (psad, sub
 * scan_logr), as syslog writes it: with the local time without a year, or as RFC 3339.
 */
const SCAN =
  /^psad(?:\[\d{1,10}\])?: (scan detected (?:\([^()]{1,80}\): )?([0-9a-f.:]{2,45}) -> [0-9a-f.:]{2,45} .{0,400})$/;
const LEVEL = / DL: ([1-5]) total scan dsts: \d{1,10}$/;
const TRADITIONAL = /^[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d [\w.-]{1,255} /;
const RFC_3339 = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)) [\w.-]{1,255} /;

/** Returns a scan of at least this danger level, from 1 to 5; null for any other line. `notAfter`: the time now. */
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
