import { domainToASCII } from "node:url";
import { type Ip, parseIp } from "./ip.ts";

declare const address: unique symbol;
declare const accountName: unique symbol;

/** A mail address in lower case: a dot-string and a domain name (RFC 5321, 4.1.2). */
export type Address = string & { readonly [address]: true };
/** An address that can be a mailbox of this server. Its parts are also directory names. */
export type AccountName = Address & { readonly [accountName]: true };

/** A name that no account has, because its domain never exists (RFC 6761 section 6.4). For the server's own requests. */
export const NO_ACCOUNT = "probe@invalid";

/** RFC 5321, 4.5.3.1: 64 octets before the `@`; a path of 256 less its angle brackets. */
const MAX_LOCAL_PART = 64;
const MAX_ADDRESS = 254;
/** RFC 1035, 2.3.4. */
const MAX_DOMAIN = 253;

/**
 * `atext` of RFC 5322 without what Postfix could take for routing or a command: `! % / |` and the backquote. It cannot
 * start with `-`, which is Postfix's default (allow_min_user).
 */
const LOCAL_PART = /^(?!-)[a-z0-9#$&'*+=?^_{}~-]+(?:\.[a-z0-9#$&'*+=?^_{}~-]+)*$/;
/** Without `+`, which separates an account from its extension. */
const ACCOUNT_LOCAL_PART = /^[a-z0-9_](?:[a-z0-9_-]*(?:\.[a-z0-9_-]+)*)$/;
/** A label with letters beyond ASCII. */
const WIDE_LABEL = /(?<![^.])(?=[a-z\d-]*[^a-z\d.-])[\p{L}\p{M}\d-]+(?![^.])/gu;
const DOMAIN = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/;

/** Null unless the text is exactly one address. Quoted local parts and address literals are refused. */
export function parseAddress(text: string): Address | null {
  const at = text.lastIndexOf("@");
  if (text.length > MAX_ADDRESS || at < 1 || at > MAX_LOCAL_PART) return null;
  const [local, domain] = [text.slice(0, at).toLowerCase(), asciiDomain(text.slice(at + 1))];
  const address = `${local}@${domain}`;
  return address.length <= MAX_ADDRESS && LOCAL_PART.test(local) && isDomain(domain) ? (address as Address) : null;
}

/** An envelope sender: an address, or the empty sender of a bounce. */
export function parseSender(text: string): Address | "" | null {
  return text === "" ? "" : parseAddress(text);
}

/** In lower case and in the DNS's form: `xn--mller-kva.de` for `Müller.de` (RFC 5890). Text that cannot be a label is unchanged. */
export function asciiDomain(text: string): string {
  // By labels: given `müller.de/x`, domainToASCII would return the host of a URL.
  return text.toLowerCase().replace(WIDE_LABEL, (label) => {
    // domainToASCII would take a label such as `0ｘ1` for an IPv4 address.
    const ascii = domainToASCII(label);
    return ascii === "" || ascii.includes(".") ? label : ascii;
  });
}

/** In lower case, its domain as `asciiDomain` returns it. Accepts any text. */
export function asciiAddress(text: string): string {
  const at = text.lastIndexOf("@") + 1;
  return text.slice(0, at).toLowerCase() + asciiDomain(text.slice(at));
}

/** Null unless the text can name a mailbox here. The caller checks whether the domain is ours. */
export function parseAccountName(text: string): AccountName | null {
  const parsed = parseAddress(text);
  return parsed !== null && ACCOUNT_LOCAL_PART.test(localPart(parsed)) ? (parsed as AccountName) : null;
}

/** A domain name in lower case, without a trailing dot. */
export function isDomain(text: string): boolean {
  return text.length <= MAX_DOMAIN && DOMAIN.test(text);
}

/** `alice+shop@example.org` belongs to alice (recipient_delimiter of postconf(5)). Accepts any text. */
export function withoutExtension(of: string): string {
  const at = of.lastIndexOf("@");
  const plus = of.indexOf("+");
  return plus > 0 && plus < at ? of.slice(0, plus) + of.slice(at) : of;
}

/**
 * A path from a client, without trailing dots of its domain. With them the text differs, but the address is the same
 * (RFC 1034, 3.1). Accepts any text.
 */
export function withoutTrailingDots(path: string): string {
  let end = path.length;
  while (end > 0 && path.charCodeAt(end - 1) === DOT) end--;
  return end < path.length && path.lastIndexOf("@", end) >= 0 ? path.slice(0, end) : path;
}

const DOT = 46;

/** The host that a path names by its address (RFC 5321, 4.1.3): `anna@[192.0.2.1]`, `anna@[IPv6:2001:db8::1]`. */
export function addressLiteral(path: string): Ip | null {
  if (!path.endsWith("]")) return null;
  const literal = domainOf(path);
  return literal.startsWith("[") ? parseIp(literal.slice(1, -1).replace(/^ipv6:/i, "")) : null;
}

export function localPart(of: string): string {
  return of.slice(0, of.lastIndexOf("@"));
}

/** The part of any text after the last `@`, or all of it. Does not change the case. */
export function domainOf(of: string): string {
  return of.slice(of.lastIndexOf("@") + 1);
}

/** Whether a name is one of these or below one. */
export function isNameOf(name: string, names: readonly string[]): boolean {
  return names.some((own) => name === own || name.endsWith(`.${own}`));
}

/** More labels than any mail server's name has. */
const MOST_LABELS = 10;

/** The domains that a host belongs to, in lower case: for `mx1.bank.test` the name itself and `bank.test`, but not `test`. */
export function domainsOf(hostName: string): readonly string[] {
  const labels = hostName.toLowerCase().split(".").slice(-MOST_LABELS);
  return labels.slice(0, -1).map((_, i) => labels.slice(i).join("."));
}

declare const senderPattern: unique symbol;

/** A sender address in lower case in which `*` stands for anything and `?` for one character. */
export type SenderPattern = string & { readonly [senderPattern]: true };

/** Blanks and `#` mean something in SpamAssassin's configuration, backslashes and commas in its log. */
const PATTERN = /^[a-z0-9.!$%&'*+/=?^_{|}~-]{1,64}@[a-z0-9.*?-]{1,255}$/;

/** Null unless the text is one address or a pattern of addresses. */
export function parseSenderPattern(text: string): SenderPattern | null {
  const pattern = asciiAddress(text);
  return PATTERN.test(pattern) ? (pattern as SenderPattern) : null;
}
