import { isIPv4 } from "node:net";
import ipaddr from "ipaddr.js";
import { type Ip, isV4 } from "../../core/net/ip.ts";

/** DNS block lists (RFC 5782): the questions, and what their answers mean. */

/** The name with which a list is asked about an address: its bytes, or for IPv6 its nibbles, from last to first. */
export function listQuery(ip: Ip, zone: string): string {
  const labels = isV4(ip) ? ip.split(".") : [...Buffer.from(ipaddr.IPv6.parse(ip).toByteArray()).toString("hex")];
  return `${labels.toReversed().join(".")}.${zone}`;
}

/** The address that every list must name, and the one that none may (RFC 5782, section 5). */
export function testPoints(zone: string, family: 4 | 6): Readonly<{ listed: string; notListed: string }> {
  if (family === 4) return { listed: `2.0.0.127.${zone}`, notListed: `1.0.0.127.${zone}` };
  // ::FFFF:7F00:2, nibble by nibble; as an `Ip` it would be the IPv4 address.
  const rest = `0.0.0.0.0.f.7.f.f.f.f.${"0.".repeat(20)}${zone}`;
  return { listed: `2.${rest}`, notListed: `1.${rest}` };
}

/**
 * The meaning of the addresses in an answer. `refused`: the list does not serve us. `nothing`: answers that list nothing,
 * such as those of other lists in the same zone.
 */
type ListAnswer =
  | Readonly<{ type: "listed"; meaning: string }>
  | Readonly<{ type: "refused"; why: string }>
  | Readonly<{ type: "nothing" }>;

export function readListAnswer(zone: string, addresses: readonly string[]): ListAnswer {
  const known = KNOWN_LISTS.find(({ zones }) => zones.test(zone));
  const refused = addresses.find((address) => address.startsWith("127.255.255."));
  if (refused !== undefined) return { type: "refused", why: `${refused} (${ERRORS[refused] ?? "an error"})` };
  for (const address of addresses) {
    const meaning = known === undefined ? anyListing(address) : known.listings[address];
    if (meaning !== undefined) return { type: "listed", meaning: `${address}, ${meaning}` };
  }
  return { type: "nothing" };
}

/** Anything in 127.0.0.0/8 (RFC 5782, 2.1). Any other address belongs to a domain that was sold or hijacked. */
function anyListing(address: string): string | undefined {
  return isIPv4(address) && address.startsWith("127.") ? "listed" : undefined;
}

const KNOWN_LISTS: readonly Readonly<{ zones: RegExp; listings: Readonly<Record<string, string>> }>[] = [
  {
    // https://www.spamhaus.org/faqs/dnsbl-usage/, "return codes"
    zones: /(^|\.)(spamhaus\.org|dq\.spamhaus\.net)$/,
    listings: {
      "127.0.0.2": "SBL, spam source",
      "127.0.0.3": "CSS, spam source",
      "127.0.0.4": "XBL, hijacked machine",
      "127.0.0.5": "XBL, hijacked machine",
      "127.0.0.6": "XBL, hijacked machine",
      "127.0.0.7": "XBL, hijacked machine",
      "127.0.0.8": "XBL, hijacked machine",
      "127.0.0.9": "DROP, hijacked network",
      "127.0.0.10": "PBL, sends no mail by its provider's rules",
      "127.0.0.11": "PBL, sends no mail by Spamhaus' rules",
    },
  },
  // https://www.spamcop.net/fom-serve/cache/291.html
  { zones: /^bl\.spamcop\.net$/, listings: { "127.0.0.2": "reported spam source" } },
];

/** The same source, "error codes". Other lists use this network in the same way. */
const ERRORS: Readonly<Record<string, string>> = {
  "127.255.255.252": "the zone's name is misspelt",
  "127.255.255.254": "the question came through a public resolver",
  "127.255.255.255": "too many questions",
};
