import type { Resolver } from "node:dns/promises";
import { BoundedMap } from "../../core/bounded-map.ts";
import { isDomain } from "../../core/net/address.ts";
import type { Ip } from "../../core/net/ip.ts";
import { MINUTE_MS, SECOND_MS } from "../../core/time.ts";
import { limitedLookups } from "../../guard/lookups/limited-lookups.ts";
import type { SenderDomains } from "../../guard/network-ports.ts";
import type { Clock } from "../../guard/ports.ts";
import { answerOf, createResolver } from "./resolver.ts";

export const SENDER_DOMAIN_LIMITS = {
  deadlineMs: 1_500,
  /** How many domains are cached, and for how long. */
  kept: 2_048,
  keptMs: 5 * MINUTE_MS,
  /** How long a domain is not asked about again after the DNS gave no answer. */
  failedMs: 2 * SECOND_MS,
  /** Maximum lookups at once. Further senders are not checked, as a domain with silent name servers keeps the resolver busy for minutes. */
  inFlight: 20,
  inFlightOfNetwork: 4,
} as const;

type CachedAnswer = Readonly<{ exists: boolean | null; until: number }>;

/** Asks one resolver for MX, then for addresses, like a server that replies to the sender. */
export class DnsSenderDomains implements SenderDomains {
  readonly #clock: Clock;
  readonly #cache = new BoundedMap<string, CachedAnswer>(SENDER_DOMAIN_LIMITS.kept);
  #resolver: Resolver;
  readonly #limited = limitedLookups<boolean | null>(SENDER_DOMAIN_LIMITS, null);

  constructor(server: string, clock: Clock) {
    this.#resolver = createResolver(server);
    this.#clock = clock;
  }

  use(server: string): void {
    this.#resolver = createResolver(server);
  }

  async exists(domain: string, ip: Ip): Promise<boolean | null> {
    if (!isDomain(domain)) return null;
    const cached = this.#cache.get(domain);
    if (cached !== undefined && this.#clock.now() < cached.until) return cached.exists;
    return this.#limited(ip, () => this.#lookUp(domain));
  }

  async #lookUp(domain: string): Promise<boolean | null> {
    const exists = await takesMail(this.#resolver, domain);
    const keptMs = exists === null ? SENDER_DOMAIN_LIMITS.failedMs : SENDER_DOMAIN_LIMITS.keptMs;
    this.#cache.set(domain, { exists, until: this.#clock.now() + keptMs });
    return exists;
  }
}

/** Null if the DNS gave no answer. */
async function takesMail(resolver: Resolver, domain: string): Promise<boolean | null> {
  const exchanges = await answerOf(() => resolver.resolveMx(domain));
  if (!exchanges.ok) return null;
  // A null MX means that the domain accepts no mail (RFC 7505).
  if (exchanges.found.length > 0) return exchanges.found.some(({ exchange }) => exchange !== "" && exchange !== ".");
  const answers = await Promise.all([
    answerOf(() => resolver.resolve4(domain)),
    answerOf(() => resolver.resolve6(domain)),
  ]);
  if (answers.some((answer) => answer.ok && answer.found.length > 0)) return true;
  return answers.every(({ ok }) => ok) ? false : null;
}
