import { Resolver } from "node:dns/promises";
import { codeOf } from "../../core/error.ts";
import type { NameAnswer, Names } from "../../engine/network-ports.ts";

/** Longer than any deadline that waits for it, so a late answer still arrives. */
const TIMEOUT_MS = 3_000;
/** Codes of dns.Resolver: no such name, or no record of this type. */
const NO_SUCH: readonly unknown[] = ["ENOTFOUND", "ENODATA"];

/** Asks one resolver and ignores /etc/resolv.conf (node:dns, c-ares). */
export class ResolverNames implements Names {
  #resolver: Resolver;

  /** An address, for port 53, or `address:port`. */
  constructor(server: string) {
    this.#resolver = resolverAt(server);
  }

  /** Asks another resolver from now on. Open questions end on their own. */
  use(server: string): void {
    this.#resolver = resolverAt(server);
  }

  async addresses(name: string): Promise<NameAnswer> {
    try {
      const records = await this.#resolver.resolve4(name, { ttl: true });
      if (records.length === 0) return { type: "none" };
      const ttlMs = Math.min(...records.map(({ ttl }) => ttl)) * 1_000;
      return { type: "addresses", addresses: records.map(({ address }) => address), ttlMs };
    } catch (error) {
      const code = codeOf(error);
      return NO_SUCH.includes(code) ? { type: "none" } : { type: "failed", why: code };
    }
  }
}

/** Asks only this server: an address, for port 53, or `address:port`. */
export function resolverAt(server: string): Resolver {
  const resolver = new Resolver({ timeout: TIMEOUT_MS, tries: 1 });
  resolver.setServers([server]);
  return resolver;
}
