import {
  contains,
  hostPrefix,
  isSingleAddress,
  isV4,
  networkAddress,
  type Prefix,
  prefixLength,
} from "../../core/net/ip.ts";
import type { Millis } from "../../core/time.ts";
import { addressesIn } from "../logs/line-addresses.ts";

/** Which lines of the logs to return; null in a field means any. */
export type LogQuery = Readonly<{
  /** Any text, ignoring case. It is not a pattern, so nothing needs to be escaped. */
  grep: string | null;
  since: Millis | null;
  network: Prefix | null;
  queueId: string | null;
  account: string | null;
}>;

/** A line of a log and its time. A line without a time gets that of the line before. */
export type LogEntry = Readonly<{ component: string; at: Millis; line: string }>;

export function matchesQuery({ at, line }: LogEntry, query: LogQuery): boolean {
  if (query.since !== null && at < query.since) return false;
  if (query.queueId !== null && !hasWord(line, query.queueId, OF_A_QUEUE_ID)) return false;
  if (query.grep === null && query.account === null && query.network === null) return true;
  const lower = line.toLowerCase();
  if (query.grep !== null && !lower.includes(query.grep.toLowerCase())) return false;
  if (query.account !== null && !hasWord(lower, query.account.toLowerCase(), OF_A_NAME)) return false;
  return query.network === null || namesAddressOf(line, query.network);
}

/** Lower-case text that every matching line contains; null if there is none. Lines without it need no closer look. */
export function textOfAll({ queueId, network, account, grep }: LogQuery): string | null {
  return (queueId ?? textOf(network) ?? account ?? grep)?.toLowerCase() ?? null;
}

/** IPv4 has one spelling. In IPv6, the first group has one, except for leading zeros. */
function textOf(network: Prefix | null): string | null {
  if (network === null) return null;
  const [separator, bits] = isV4(network) ? [".", 8] : [":", 16];
  const groups = networkAddress(network).split(separator);
  const fixed = Math.floor(prefixLength(network) / bits);
  if (!isV4(network)) return fixed === 0 || groups[0] === "" ? null : `${groups[0]}:`;
  return fixed === 0 ? null : `${groups.slice(0, fixed).join(".")}${fixed === groups.length ? "" : "."}`;
}

const OF_A_QUEUE_ID = /[0-9A-Za-z]/;
const OF_A_NAME = /[\w@+-]/;

/** Whether the word stands alone, not as a part of a longer name. */
function hasWord(line: string, word: string, letters: RegExp): boolean {
  for (let at = line.indexOf(word); at >= 0; at = line.indexOf(word, at + 1)) {
    const before = line[at - 1] ?? "";
    const after = line[at + word.length] ?? "";
    if (!letters.test(before) && !(before === "." && letters === OF_A_NAME) && !letters.test(after)) return true;
  }
  return false;
}

/** Whether the line contains an address of the network in any notation. */
function namesAddressOf(line: string, network: Prefix): boolean {
  const isOne = isSingleAddress(network);
  for (const ip of addressesIn(line)) if (isOne ? hostPrefix(ip) === network : contains(network, ip)) return true;
  return false;
}
