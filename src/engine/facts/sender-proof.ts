import { domainOf, isDomain } from "../../core/net/address.ts";
import { contains, type Ip } from "../../core/net/ip.ts";
import type { SpfTerm } from "../../core/net/spf-record.ts";
import { expandSpf, type NameLookup } from "../lookups/expand-spf.ts";
import { within } from "../lookups/within.ts";
import type { SenderProofs } from "../network-ports.ts";
import type { Greylisting } from "./greylisting.ts";

export const SENDER_PROOF_LIMITS = {
  deadlineMs: 1_500,
  /** Maximum domains looked up at the same time. Further ones count as not proven. */
  inFlight: 50,
} as const;

/** For a domain without an SPF record: the servers that accept its mail may send. */
const ITS_EXCHANGES: readonly SpfTerm[] = [{ type: "mx", domain: null, v4Length: 32, v6Length: 128 }];

/**
 * Checks the SPF record of the sender's domain (RFC 7208), only if greylisting depends on it. A confirmed host name
 * below the domain proves nothing: customers of an access provider have one, too.
 */
export function createSenderProofs(
  firstContacts: Pick<Greylisting, "dependsOnSenderProof">,
  lookup: NameLookup,
  deadlineMs: number = SENDER_PROOF_LIMITS.deadlineMs,
): SenderProofs {
  let asking = 0;
  const speaksFor = async (domain: string, ip: Ip): Promise<boolean> => {
    asking += 1;
    try {
      const networks = await expandSpf(domain, lookup, ITS_EXCHANGES);
      return networks.ok && networks.found.some((network) => contains(network, ip));
    } finally {
      asking -= 1;
    }
  };
  return {
    prove: (event) => {
      const domain = domainOf(event.sender).toLowerCase();
      if (asking >= SENDER_PROOF_LIMITS.inFlight || !isDomain(domain) || !firstContacts.dependsOnSenderProof(event))
        return Promise.resolve(false);
      return within(speaksFor(domain, event.ip), deadlineMs, false);
    },
  };
}
