import { type Ip, isV4, type Prefix, parsePrefix, prefixLength } from "./ip.ts";

/** A large set of networks. A look-up costs one step for each prefix length that occurs, not for each network. */
export class NetworkSet {
  readonly #networks: ReadonlySet<Prefix>;
  readonly #lengths: Readonly<Record<"v4" | "v6", readonly number[]>>;

  constructor(networks: Iterable<Prefix>) {
    this.#networks = new Set(networks);
    const lengths = (v4: boolean): readonly number[] => [
      ...new Set([...this.#networks].filter((network) => isV4(network) === v4).map(prefixLength)),
    ];
    this.#lengths = { v4: lengths(true), v6: lengths(false) };
  }

  get size(): number {
    return this.#networks.size;
  }

  includes(ip: Ip): boolean {
    return this.#lengths[isV4(ip) ? "v4" : "v6"].some((length) => {
      const around = parsePrefix(`${ip}/${length}`);
      return around !== null && this.#networks.has(around);
    });
  }
}
