import { domainOf, isDomain } from "../../core/net/address.ts";
import { contains, isTooWide, isV4, type Prefix, parsePrefix } from "../../core/net/ip.ts";
import { parseSpfRecord, type SpfTerm } from "../../core/net/spf-record.ts";
import type { Greylisting } from "../facts/greylisting.ts";
import type { NameLookup, SenderProofs } from "../network-ports.ts";
import { limitedLookups } from "./limited-lookups.ts";

export const SPF_LIMITS = {
  /** Terms of one domain that cause lookups (RFC 7208, 4.6.4). */
  lookups: 10,
  /** Hosts of one `mx` (RFC 7208, 4.6.4). */
  exchanges: 10,
  /** Networks in the records of one domain, including repeated ones. Each costs the guard 10 µs at every recipient. */
  networks: 500,
} as const;

const SENDER_PROOF_LIMITS = {
  deadlineMs: 1_500,
  /** Maximum senders that are checked at the same time. Further ones count as not proven. */
  inFlight: 50,
  inFlightOfNetwork: 10,
} as const;

/** For a domain without an SPF record: the servers that accept its mail may send. */
const ITS_EXCHANGES: readonly SpfTerm[] = [{ type: "mx", domain: null, v4Length: 32, v6Length: 128 }];

/**
 * Checks the SPF record of the sender's domain (RFC 7208), only if a proof would change anything. A confirmed host name
 * below the domain proves nothing: customers of an access provider have one, too.
 */
export function createSenderProofs(
  greylisting: Pick<Greylisting, "needsSenderProof">,
  lookup: NameLookup,
): SenderProofs {
  const limited = limitedLookups(SENDER_PROOF_LIMITS, false);
  return {
    prove: (event) => {
      const domain = domainOf(event.sender).toLowerCase();
      if (!isDomain(domain)) return Promise.resolve(false);
      let isLate = false;
      const isSenderAllowed = async (): Promise<boolean> => {
        const networks = await expandSpf(domain, lookup, () => isLate);
        return networks?.some((network) => contains(network, event.ip)) ?? false;
      };
      const proven = limited(event.ip, isSenderAllowed, () => greylisting.needsSenderProof(event));
      return proven.finally(() => {
        isLate = true;
      });
    },
  };
}

/**
 * The networks allowed by a domain's SPF record, including includes; null if it is invalid or cannot be looked up
 * whole. `isLate`: no mail waits for the answer any longer.
 */
export async function expandSpf(root: string, lookup: NameLookup, isLate: () => boolean = () => false) {
  const networks = new Set<Prefix>();
  let lookups = 0;
  let named = 0;
  // Each step returns false if the whole record cannot be used.
  const add = (network: Prefix): boolean => {
    // A record that lets half the internet send is a mistake, so it does not count.
    if (!isTooWide(network)) networks.add(network);
    return ++named <= SPF_LIMITS.networks;
  };
  const addresses = async ({ v4Length, v6Length }: Lengths, names: readonly string[]): Promise<boolean> => {
    for (const name of names) {
      if (isLate()) return false;
      const answer = await lookup.addresses(name);
      if (!answer.ok) return false;
      for (const ip of answer.found) {
        const network = parsePrefix(`${ip}/${isV4(ip) ? v4Length : v6Length}`);
        if (network !== null && !add(network)) return false;
      }
    }
    return true;
  };
  const exchanges = async (term: Lengths, domain: string): Promise<boolean> => {
    if (isLate()) return false;
    const hosts = await lookup.exchanges(domain);
    return hosts.ok && addresses(term, hosts.found.slice(0, SPF_LIMITS.exchanges));
  };
  const record = async (domain: string): Promise<boolean> => {
    if (isLate()) return false;
    const texts = await lookup.texts(domain);
    if (!texts.ok) return false;
    const records = texts.found.map(parseSpfRecord).filter((terms) => terms !== null);
    if (records.length > 1) return false;
    for (const term of records[0] ?? (domain === root ? ITS_EXCHANGES : []))
      if (!(await take(term, domain))) return false;
    return true;
  };
  const take = (term: SpfTerm, domain: string): Promise<boolean> | boolean => {
    if (term.type === "network") return add(term.prefix);
    if (++lookups > SPF_LIMITS.lookups) return false;
    switch (term.type) {
      case "include":
      case "redirect":
        return record(term.domain);
      case "a":
        return addresses(term, [term.domain ?? domain]);
      case "mx":
        return exchanges(term, term.domain ?? domain);
    }
  };
  return (await record(root)) ? [...networks] : null;
}

type Lengths = Readonly<{ v4Length: number; v6Length: number }>;
