import { asciiAddress } from "../../core/net/address.ts";
import { contains, type Ip, isV4, networkAddress, type Prefix, parseIp, prefixLength } from "../../core/net/ip.ts";
import type { Millis } from "../../core/time.ts";

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
  if (query.account !== null && !spellingsOf(query.account).some((name) => hasWord(lower, name, OF_A_NAME)))
    return false;
  const { network } = query;
  return network === null || addressesIn(line).some((ip) => contains(network, ip));
}

export type SearchTexts = Readonly<{
  /** In lower case. Every matching line contains at least one of them, ignoring case. */
  texts: readonly string[];
  /** Whether comparing ASCII bytes is enough. If not, letters such as U+212A, whose lower case is `k`, may match too. */
  inBytes: boolean;
}>;

/** The texts to search for before a line is checked in full; null if every line must be checked. */
export function textsOf({ queueId, network, account, grep }: LogQuery): SearchTexts | null {
  if (queueId !== null) return { texts: [queueId.toLowerCase()], inBytes: true };
  const texts = network === null ? null : textsOfNetwork(network);
  if (texts !== null) return { texts, inBytes: true };
  if (account !== null) return { texts: spellingsOf(account), inBytes: false };
  return grep === null ? null : { texts: [grep.toLowerCase()], inBytes: false };
}

const ASCII = /^\p{ASCII}*$/u;

/** The account as typed, and with its domain as written in the DNS. */
function spellingsOf(account: string): readonly string[] {
  const typed = account.toLowerCase();
  // A short cut for the usual case, because this runs for each line.
  return ASCII.test(typed) ? [typed] : [...new Set([typed, asciiAddress(account)])];
}

/** Part of an IPv4-mapped IPv6 address, which may not end in dotted decimals (RFC 4291, 2.5.5.2). */
const MAPPED = "ffff:";

/** A dotted IPv4 address has one spelling. In IPv6, only a nonzero first group has one, apart from leading zeros. */
function textsOfNetwork(network: Prefix): readonly string[] | null {
  const [separator, bits] = isV4(network) ? [".", 8] : [":", 16];
  const groups = networkAddress(network).split(separator);
  const fixed = Math.floor(prefixLength(network) / bits);
  if (fixed === 0) return null;
  if (!isV4(network)) return groups[0] === "" || groups[0] === "0" ? null : [`${groups[0]}:`];
  return [`${groups.slice(0, fixed).join(".")}${fixed === groups.length ? "" : "."}`, MAPPED];
}

/** Characters that may not precede or follow a whole word, because it would be part of a longer name. */
const OF_A_QUEUE_ID = { before: "0-9A-Za-z", after: "0-9A-Za-z" };
const OF_A_NAME = { before: "\\w@+.-", after: "\\w@+-" };

function hasWord(line: string, word: string, { before, after }: typeof OF_A_NAME): boolean {
  return new RegExp(`(?<![${before}])${RegExp.escape(word)}(?![${after}])`).test(line);
}

/**
 * A word that may be an address. 64 characters are more than any address with a port has; a longer word is read in pieces.
 * RFC 5321, 4.1.3: an IPv6 address in a mail is written `[IPv6:2001:db8::7]`, and its `6:` looks like a group.
 */
const TOKEN = /(?:ipv(?=6:))?[0-9a-f:.]{2,64}/gi;
/** `::`, three dots or seven colons. Most words without them are numbers and times of day. */
const LIKELY = /::|(?:\.[^.]*){3}|(?::[^:]*){7}/;

/** The addresses in a text, in every notation: `[198.51.100.7]:25`, `rip=2001:DB8:0::7,`, `[IPv6:2001:db8::7]`. May repeat one. */
export function* addressesIn(text: string): Generator<Ip> {
  for (const token of new Set(text.match(TOKEN)?.filter((word) => LIKELY.test(word)))) yield* addressesOf(token);
}

/** Punctuation or a port may follow an address. `2001:db8::7:25.` can be read in two ways. */
function addressesOf(token: string): readonly Ip[] {
  const tagged = /^ipv6:/i.test(token) ? parseIp(token.slice(5).replace(/[.:]+$/, "")) : null;
  if (tagged !== null) return [tagged];
  const whole = token.replace(/^ipv/i, "");
  const exact = parseIp(whole);
  if (exact !== null) return [exact];
  const trimmed = whole.replace(/[.:]+$/, "");
  return [parseIp(trimmed), parseIp(trimmed.replace(/:\d{1,5}$/, ""))].filter((ip) => ip !== null);
}
