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

export type SearchTexts = Readonly<{
  /** In lower case. Every matching line contains one of them, in either case. */
  texts: readonly string[];
  /** The match is by ASCII bytes, so the bytes of any text can be searched. Otherwise a letter such as U+212A may match `k`. */
  inBytes: boolean;
}>;

/** The texts to search for before a line is checked in full; null if every line must be checked. */
export function textsOf({ queueId, network, account, grep }: LogQuery): SearchTexts | null {
  if (queueId !== null) return { texts: [queueId.toLowerCase()], inBytes: true };
  const texts = network === null ? null : textsOfNetwork(network);
  if (texts !== null) return { texts, inBytes: true };
  const text = account ?? grep;
  return text === null ? null : { texts: [text.toLowerCase()], inBytes: false };
}

/** Part of an IPv4 address in IPv6 notation that does not end in dotted decimals (RFC 4291, 2.5.5.2). */
const MAPPED = "ffff:";

/** IPv4 has one dotted spelling. In IPv6, a first group that is not zero has one, except for leading zeros. */
function textsOfNetwork(network: Prefix): readonly string[] | null {
  const [separator, bits] = isV4(network) ? [".", 8] : [":", 16];
  const groups = networkAddress(network).split(separator);
  const fixed = Math.floor(prefixLength(network) / bits);
  if (fixed === 0) return null;
  if (!isV4(network)) return groups[0] === "" || groups[0] === "0" ? null : [`${groups[0]}:`];
  return [`${groups.slice(0, fixed).join(".")}${fixed === groups.length ? "" : "."}`, MAPPED];
}

const OF_A_QUEUE_ID = /[0-9A-Za-z]/;
const OF_A_NAME = /[\w@+-]/;

/** Whether it is a whole word, not part of a longer name. */
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
