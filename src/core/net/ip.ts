import { isIPv4 } from "node:net";
import ipaddr from "ipaddr.js";

declare const ip: unique symbol;
declare const prefix: unique symbol;

/** An address in canonical text (RFC 5952); an IPv4-mapped IPv6 address is its IPv4 address. */
export type Ip = string & { readonly [ip]: true };
/** A network in canonical text with its length: `203.0.113.7/32`, `2001:db8:0:1::/64`. */
export type Prefix = string & { readonly [prefix]: true };

/**
 * The source address from which the keeper asks for the greeting of the mail ports. It distinguishes the lines of these
 * probes in the logs from those of clients.
 */
export const PROBE_ADDRESS = "127.71.9.25" as Ip;

/** The source address from which `check` acts as a stranger at port 25. As part of loopback it is never banned. */
export const CHECK_ADDRESS = "127.71.9.26" as Ip;

/** RFC 1122, 3.2.1.3; RFC 4291, 2.5.3. */
export const LOOPBACK: readonly Prefix[] = ["127.0.0.0/8" as Prefix, "::1/128" as Prefix];

const DOT = 46;
const SLASH = 47;
const ZERO = 48;

/** Null unless the text is exactly one address. Zone identifiers (`%eth0`) are not part of an address. */
export function parseIp(text: string): Ip | null {
  if (isIPv4(text)) return text as Ip;
  if (!isIpv6(text)) return null;
  const parsed = ipaddr.IPv6.parse(inGroups(text));
  return (parsed.isIPv4MappedAddress() ? parsed.toIPv4Address().toString() : parsed.toRFC5952String()) as Ip;
}

/**
 * Equivalent to isIPv6() of node:net, whose pattern takes each program 5 ms to compile. ipaddr.js also accepts zones, and a dotted end in
 * octal or hexadecimal digits.
 */
function isIpv6(text: string): boolean {
  const end = text.slice(text.lastIndexOf(":") + 1);
  return !text.includes("%") && (!end.includes(".") || isIPv4(end)) && ipaddr.IPv6.isValid(text);
}

/** Writes a dotted end as two groups. ipaddr.js takes `::203.0.113.7` for the IPv4 address, but it is `::cb00:7107` (RFC 4291, 2.5.5.1). */
function inGroups(text: string): string {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text);
  if (dotted === null) return text;
  const [, head = "", a, b, c, d] = dotted;
  const group = (high: string | undefined, low: string | undefined): string =>
    (Number(high) * 256 + Number(low)).toString(16);
  return `${head}${group(a, b)}:${group(c, d)}`;
}

/** Reads an address or a network; host bits are cleared. Null if it is neither. */
export function parsePrefix(text: string): Prefix | null {
  const slash = text.indexOf("/");
  if (slash < 0) {
    const address = parseIp(text);
    return address === null ? null : hostPrefix(address);
  }
  const address = parseIp(text.slice(0, slash));
  const lengthText = text.slice(slash + 1);
  if (address === null || !/^\d{1,3}$/.test(lengthText)) return null;
  // An IPv4-mapped network is an IPv4 one, 96 bits shorter: `::ffff:203.0.113.0/120` is `203.0.113.0/24`.
  const isMapped = isV4(address) && text.includes(":");
  const length = Number(lengthText) - (isMapped ? 96 : 0);
  return length >= 0 && length <= (isV4(address) ? 32 : 128) ? truncate(address, length) : null;
}

export function isV4(address: Ip | Prefix): boolean {
  return !address.includes(":");
}

export function isLoopback(address: Ip): boolean {
  return address === "::1" || address.startsWith("127.");
}

export function isV6(address: Ip | Prefix): boolean {
  return !isV4(address);
}

/** The prefix of exactly one address. */
export function hostPrefix(address: Ip): Prefix {
  return `${address}/${isV4(address) ? 32 : 128}` as Prefix;
}

export function isPrefix(one: Ip | Prefix): one is Prefix {
  return one.includes("/");
}

/** Turns an address into the prefix of only this address. */
export function asPrefix(one: Ip | Prefix): Prefix {
  return isPrefix(one) ? one : hostPrefix(one);
}

/**
 * The prefix by which a client is counted and banned: one IPv4 address, or an IPv6 network. All of 127.0.0.0/8 counts as one, because a
 * local user can use each of its addresses; `::1` has no neighbours.
 */
export function prefixOf(address: Ip, ipv6Length: number): Prefix {
  if (isV4(address)) return isLoopback(address) ? truncate(address, 8) : hostPrefix(address);
  return isLoopback(address) ? hostPrefix(address) : truncate(address, ipv6Length);
}

export function prefixLength(network: Prefix): number {
  return Number(network.slice(network.indexOf("/") + 1));
}

/** Wider than an IPv4 /8 or an IPv6 /16: surely a mistake where trust is given. */
export function isTooWide(network: Prefix): boolean {
  return prefixLength(network) < (isV4(network) ? 8 : 16);
}

/**
 * The network whose addresses count as neighbours: the smallest that the internet routes (IPv4 /24), or the largest
 * that a site gets (IPv6 /48, RFC 6177). Never narrower than `prefixOf`.
 */
export function neighbourhoodOf(address: Ip, ipv6Length: number): Prefix {
  if (isV6(address)) return truncate(address, Math.min(48, ipv6Length));
  return truncate(address, isLoopback(address) ? 8 : 24);
}

/** The network address, without the length. */
export function networkAddress(network: Prefix): Ip {
  return network.slice(0, network.indexOf("/")) as Ip;
}

export function isSingleAddress(network: Prefix): boolean {
  return prefixLength(network) === (isV4(network) ? 32 : 128);
}

/** A network as people write it: a single address without its length. */
export function printPrefix(prefix: string): string {
  return prefix.replace(prefix.includes(":") ? /\/128$/ : /\/32$/, "");
}

export function contains(network: Prefix, address: Ip): boolean {
  if (isV4(network) !== isV4(address)) return false;
  const length = prefixLength(network);
  if (isV4(address)) return keptBits(bitsOfV4(address), length) === bitsOfV4(network);
  const kept = keptGroups(groupsOfV6(address), length);
  return groupsOfV6(networkAddress(network)).every((group, i) => group === kept[i]);
}

/** True when the two networks share an address: one contains the other. */
export function overlaps(a: Prefix, b: Prefix): boolean {
  const wider = prefixLength(a) <= prefixLength(b) ? a : b;
  return contains(wider, networkAddress(wider === a ? b : a));
}

/** The network of this length around it. */
export function widened(network: Prefix, length: number): Prefix {
  return truncate(networkAddress(network), length);
}

/** The network itself and all that contain it, narrowest first. */
export function covering(network: Prefix): readonly Prefix[] {
  const own = prefixLength(network);
  return Array.from({ length: own + 1 }, (_, fewer) => widened(network, own - fewer));
}

/** The text is canonical, so it needs no parser. That of ipaddr.js created a quarter of all objects of a decision. */
function truncate(address: Ip, length: number): Prefix {
  return `${isV4(address) ? truncatedV4(address, length) : truncatedV6(address, length)}/${length}` as Prefix;
}

function truncatedV4(address: Ip, length: number): string {
  const bits = keptBits(bitsOfV4(address), length);
  return `${bits >>> 24}.${(bits >>> 16) & 255}.${(bits >>> 8) & 255}.${bits & 255}`;
}

/** The 32 bits of an IPv4 address, or of a network's address. */
function bitsOfV4(text: Ip | Prefix): number {
  let bits = 0;
  let byte = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === SLASH) break;
    if (code === DOT) {
      bits = (bits << 8) | byte;
      byte = 0;
    } else byte = byte * 10 + code - ZERO;
  }
  return (bits << 8) | byte;
}

function keptBits(bits: number, length: number): number {
  // A shift by 32 would shift by 0 (ECMA-262, 13.9).
  return length === 0 ? 0 : bits & (-1 << (32 - length));
}

function truncatedV6(address: Ip, length: number): string {
  return new ipaddr.IPv6(keptGroups(groupsOfV6(address), length)).toRFC5952String();
}

/** The eight groups of an IPv6 address. */
function groupsOfV6(address: Ip): number[] {
  const [head = "", tail = ""] = address.split("::");
  const [first, last] = [head, tail].map((text) => (text === "" ? [] : text.split(":")));
  const groups = [0, 0, 0, 0, 0, 0, 0, 0];
  first?.forEach((text, i) => (groups[i] = Number.parseInt(text, 16)));
  last?.forEach((text, i) => (groups[8 - last.length + i] = Number.parseInt(text, 16)));
  return groups;
}

function keptGroups(groups: readonly number[], length: number): number[] {
  return groups.map((group, i) => group & (0xffff << Math.max(0, Math.min(16, 16 * (i + 1) - length))) & 0xffff);
}

/** RFC 1918, RFC 6598 (behind a provider's NAT), RFC 3927; RFC 4193 and link-local in IPv6. */
export function isPrivate(ip: Ip): boolean {
  if (!isV4(ip)) return /^f([cd]|e[89ab])/.test(ip);
  return /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|169\.254\.)/.test(ip);
}

/**
 * Whether a sign-in from this address breaks the server's or the account's restriction. An empty list means anywhere.
 */
export function isOutside(ip: Ip, server: readonly Prefix[], account: readonly Prefix[]): boolean {
  return [server, account].some((networks) => networks.length > 0 && !networks.some((each) => contains(each, ip)));
}

/** The networks that are in both lists; null if neither restricts anything. Empty: no address is allowed. */
export function inBoth(server: readonly Prefix[], account: readonly Prefix[]): readonly Prefix[] | null {
  if (server.length === 0) return account.length === 0 ? null : account;
  if (account.length === 0) return server;
  const common = server.flatMap((one) =>
    account
      .filter((other) => overlaps(one, other))
      .map((other) => (prefixLength(one) > prefixLength(other) ? one : other)),
  );
  return [...new Set(common)];
}
