import { domainOf, isDomain } from "../../core/net/address.ts";
import { contains, type Ip, isV4, neighbourhoodOf, type Prefix, parsePrefix, prefixLength } from "../../core/net/ip.ts";
import { parseSpfRecord, type SpfTerm } from "../../core/net/spf-record.ts";
import type { Greylisting } from "../facts/greylisting.ts";
import type { NameLookup, SenderProofs } from "../network-ports.ts";
import { within } from "./submit-after-lookups.ts";

export const SPF_LIMITS = {
  /** Terms of one domain that cause lookups (RFC 7208, 4.6.4). */
  lookups: 10,
  /** Hosts of one `mx` (RFC 7208, 4.6.4). */
  exchanges: 10,
  /** Networks that the records of one domain name, repeated ones too: each costs the guard 10 µs, at every recipient. */
  networks: 500,
  /** A record that lets half the internet send is a mistake, so it does not count. */
  shortestV4: 8,
  shortestV6: 16,
} as const;

const SENDER_PROOF_LIMITS = {
  deadlineMs: 1_500,
  /** Maximum senders looked up at the same time, and for one network: the domains of some answer slowly. Further ones count as not proven. */
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
  /** For which networks senders are being looked up. */
  const asking: Prefix[] = [];
  const hasPlace = (network: Prefix): boolean =>
    asking.length < SENDER_PROOF_LIMITS.inFlight &&
    asking.filter((one) => one === network).length < SENDER_PROOF_LIMITS.inFlightOfNetwork;
  const speaksFor = async (domain: string, ip: Ip, isLate: () => boolean): Promise<boolean> => {
    const network = neighbourhoodOf(ip, 48);
    asking.push(network);
    try {
      const networks = await expandSpf(domain, lookup, isLate);
      return networks?.some((network) => contains(network, ip)) ?? false;
    } finally {
      asking.splice(asking.indexOf(network), 1);
    }
  };
  return {
    prove: (event) => {
      const domain = domainOf(event.sender).toLowerCase();
      if (!isDomain(domain) || !hasPlace(neighbourhoodOf(event.ip, 48)) || !greylisting.needsSenderProof(event))
        return Promise.resolve(false);
      let isLate = false;
      const proven = speaksFor(domain, event.ip, () => isLate);
      return within(proven, SENDER_PROOF_LIMITS.deadlineMs, false).finally(() => {
        isLate = true;
      });
    },
  };
}

/**
 * The networks allowed by a domain's SPF record, including includes; null if it is invalid or cannot be looked up
 * whole. `isLate`: no mail waits for the answer any longer.
 */
export async function expandSpf(
  domain: string,
  lookup: NameLookup,
  isLate: () => boolean = () => false,
): Promise<readonly Prefix[] | null> {
  const expansion = new Expansion(domain, lookup, isLate);
  return (await expansion.record(domain)) ? [...expansion.networks] : null;
}

/** Each step returns false if the whole record cannot be used. */
class Expansion {
  readonly networks = new Set<Prefix>();
  readonly #root: string;
  readonly #lookup: NameLookup;
  readonly #isLate: () => boolean;
  #lookups = 0;
  #named = 0;

  constructor(root: string, lookup: NameLookup, isLate: () => boolean) {
    this.#root = root;
    this.#lookup = lookup;
    this.#isLate = isLate;
  }

  async record(domain: string): Promise<boolean> {
    if (this.#isLate()) return false;
    const texts = await this.#lookup.texts(domain);
    if (!texts.ok) return false;
    const records = texts.found.map(parseSpfRecord).filter((terms) => terms !== null);
    if (records.length > 1) return false;
    const terms = records[0] ?? (domain === this.#root ? ITS_EXCHANGES : []);
    for (const term of terms) if (!(await this.#term(term, domain))) return false;
    return true;
  }

  #term(term: SpfTerm, domain: string): Promise<boolean> | boolean {
    if (term.type === "network") return this.#add(term.prefix);
    if (++this.#lookups > SPF_LIMITS.lookups) return false;
    switch (term.type) {
      case "include":
      case "redirect":
        return this.record(term.domain);
      case "a":
        return this.#addresses(term, [term.domain ?? domain]);
      case "mx":
        return this.#exchanges(term, term.domain ?? domain);
    }
  }

  async #exchanges(term: Lengths, domain: string): Promise<boolean> {
    if (this.#isLate()) return false;
    const hosts = await this.#lookup.exchanges(domain);
    return hosts.ok && this.#addresses(term, hosts.found.slice(0, SPF_LIMITS.exchanges));
  }

  async #addresses({ v4Length, v6Length }: Lengths, names: readonly string[]): Promise<boolean> {
    for (const name of names) {
      if (this.#isLate()) return false;
      const addresses = await this.#lookup.addresses(name);
      if (!addresses.ok) return false;
      for (const ip of addresses.found) {
        const network = parsePrefix(`${ip}/${isV4(ip) ? v4Length : v6Length}`);
        if (network !== null && !this.#add(network)) return false;
      }
    }
    return true;
  }

  #add(network: Prefix): boolean {
    if (++this.#named > SPF_LIMITS.networks) return false;
    const shortest = isV4(network) ? SPF_LIMITS.shortestV4 : SPF_LIMITS.shortestV6;
    if (prefixLength(network) >= shortest) this.networks.add(network);
    return true;
  }
}

type Lengths = Readonly<{ v4Length: number; v6Length: number }>;
