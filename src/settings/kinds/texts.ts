import { urlToHttpOptions } from "node:url";
import { isTimeZone, parseQuietHours, type QuietHours } from "../../core/alerts/schedule.ts";
import { readOr } from "../../core/error.ts";
import { parseDoor, parseInterface } from "../../core/firewall/strict.ts";
import { asciiDomain, parseAddress, parseSenderPattern } from "../../core/net/address.ts";
import { type Ip, isTooWide, parseIp, parsePrefix } from "../../core/net/ip.ts";
import { formatKeepRule, parseKeepRule } from "../../core/retention.ts";
import { printable } from "../../core/text.ts";
import { type Kind, quote, text } from "./kind.ts";

const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * A fully qualified host name in lower case and ASCII (RFC 1035 section 2.3.1, RFC 5890): at least two labels,
 * at most 253 characters. Null for anything else, addresses included.
 */
export function parseHostName(text: string): string | null {
  if (text.length > 253) return null;
  const name = asciiDomain(text);
  const labels = name.split(".");
  const last = labels.at(-1) ?? "";
  if (name.length > 253 || labels.length < 2 || /^\d+$/.test(last)) return null;
  return labels.every((label) => LABEL.test(label)) ? name : null;
}

/** A text whose parser gives the value; `print`: its canonical spelling. */
function parsed<T extends string>(accepts: string, parse: (written: string) => T | null): Kind<T>;
function parsed<T>(accepts: string, parse: (written: string) => T | null, print: (value: T) => string): Kind<T>;
function parsed<T>(
  accepts: string,
  parse: (written: string) => T | null,
  print: (value: T) => string = String,
): Kind<T> {
  return text(accepts, (written) => {
    const value = parse(written);
    return value === null ? null : { value, toml: quote(print(value)) };
  });
}

function matching(accepts: string, ...patterns: readonly RegExp[]): Kind<string> {
  return parsed(accepts, (written) => (patterns.every((pattern) => pattern.test(written)) ? written : null));
}

const NO_QUOTES = /^[^"\\]*$/;

export const hostName = parsed("a full host name such as mail.example.org", parseHostName);

/** A sender pattern of SpamAssassin: `*` stands for anything, `?` for one character. */
export const senderPattern = parsed("an address or a pattern such as *@example.org", parseSenderPattern);

/** The name of a key in the DNS (RFC 6376 section 3.1). */
export const selector = matching("a name of lowercase letters, digits and dashes", LABEL);

export const domain = parsed("a domain such as example.org", parseHostName);

export const address = parsed("an IP address", parseIp);

/** Unbound asks no server on loopback, where it listens itself (unbound.conf(5), do-not-query-localhost). */
function parseRemoteAddress(written: string): Ip | null {
  const value = parseIp(written);
  return value === null || /^(?:127\.|0\.|::1?$)/.test(value) ? null : value;
}

export const resolver = parsed("an IP address of another machine, not of loopback", parseRemoteAddress);

/** Not the broadcast address, which refuses connections. */
export const loopback = parsed("an address from 127.0.0.0 to 127.255.255.254", (written) => {
  const value = parseIp(written);
  return value?.startsWith("127.") === true && value !== "127.255.255.255" ? value : null;
});

/** SHA-256 of a public key. */
export const keyHash = parsed("64 hexadecimal digits", (written) =>
  /^[0-9a-f]{64}$/i.test(written) ? written.toLowerCase() : null,
);

export const hostOrAddress = parsed(
  "a full host name or an IP address",
  (written) => parseHostName(written) ?? parseIp(written),
);

/** A DNS zone with the one server that answers for it. */
export const stubZone = parsed(
  "a zone and its server on another machine, such as corp.example=10.0.0.53",
  (written) => {
    const [name = "", server = "", ...more] = written.split("=").map((part) => part.trim());
    const [zone, address] = [parseHostName(name), parseRemoteAddress(server)];
    return zone === null || address === null || more.length > 0 ? null : { zone, address };
  },
  ({ zone, address }) => `${zone}=${address}`,
);

/** What the strict firewall accepts; a `4` or `6` at the end limits it to one family. */
export const door = parsed("a port or a range such as 443/tcp, 60000-61000/udp or 8443/tcp6", parseDoor);

export const networkInterface = parsed("the name of an interface such as wg0 or br-*", parseInterface);

/** A network that is not too wide to trust. */
export const network = parsed("an IP address or a network such as 203.0.113.0/24", (written) => {
  const value = parsePrefix(written);
  return value === null || isTooWide(value) ? null : value;
});

export const mailAddress = parsed("a mail address such as alice@example.org", parseAddress);

/** Goes into the configuration of Postfix and Dovecot, in which blanks, `$`, `#` and quotes have a meaning. */
export const path = matching("an absolute path of letters, digits and ._@+-/", /^\/[A-Za-z0-9._@+/-]{1,1000}$/);

/** The next hop of transport(5), always with a port; the brackets prevent an MX look-up. */
export const nextHop = parsed('a server such as "[smtp.example.net]:587"', (written) => {
  const [, host = "", digits = ""] = /^\[?([^\]]+?)\]?:(\d{1,5})$/.exec(written) ?? [];
  const name = parseHostName(host) ?? parseIp(host);
  const number = Number(digits);
  return name === null || number < 1 || number > 65_535 ? null : `[${name}]:${number}`;
});

/** A login name: goes into a table of Postfix, in which blanks and colons have a meaning. */
export const loginName = matching("a login name without blanks and colons", /^[\x21-\x39\x3b-\x7e]{1,256}$/, NO_QUOTES);

/** A user of this machine (useradd(8)). */
export const systemUser = matching("a user of this machine such as haproxy", /^[a-z_][a-z0-9_-]{0,31}$/);

/** The same, or the id of a user without a name here, as in a container. */
export const systemUserOrId = matching(
  "a user of this machine such as caddy, or the id of one",
  /^(?:[a-z_][a-z0-9_-]{0,31}|\d{1,9}|[1-3]\d{9})$/,
);

/** For people: one printable line. */
export const oneLine = parsed("one line of text, of at most 200 characters", (written) =>
  written !== "" && printable(written, 200) === written ? written : null,
);

/** A URL without quotes and backslashes; it may contain a secret. Node's requests reject credentials with a bare "%". */
export const url = parsed(
  "an address such as https://example.org/path, with % in a name or password as %25",
  (given) =>
    /^https?:\/\/[!#-[\]-~]{1,2000}$/.test(given)
      ? readOr(() => urlToHttpOptions(new URL(given)) && given, null)
      : null,
);

/** Where restic(1) keeps backups: a directory, or a kind of server and its address, which may contain a password. */
export const repository = matching(
  "a directory, or one of sftp:, rest:, s3:, b2:, azure:, gs:, swift:",
  /^(?:\/|(?:sftp|rest|s3|b2|azure|gs|swift):)[\x21-\x7e]{1,1000}$/,
  NO_QUOTES,
);

/** Null: none. */
export const quietHours: Kind<QuietHours | null> = text('hours such as "22:00-07:00", or ""', (written) => {
  const value = parseQuietHours(written);
  return value === null && written !== "" ? null : { value, toml: quote(written) };
});

export const timeZone = parsed("a time zone such as Europe/Berlin", (written) =>
  /^[A-Za-z0-9_+/-]{1,64}$/.test(written) && isTimeZone(written) ? written : null,
);

export const keepRule = parsed(
  `a folder and a time such as "Trash 30d", after an account if it is only for that one`,
  parseKeepRule,
  formatKeepRule,
);

export const localPart = parsed("the part of an address before the @, but not postmaster", (written) => {
  const lower = written.toLowerCase();
  return /^[a-z0-9](?:[a-z0-9._+-]{0,62}[a-z0-9])?$/.test(lower) && lower !== "postmaster" ? lower : null;
});
