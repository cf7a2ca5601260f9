import { readFileSync } from "node:fs";
import { endianness } from "node:os";
import { hostPrefix, type Ip, overlaps, type Prefix, parsePrefix } from "../../core/net/ip.ts";
import type { Millis } from "../../core/time.ts";
import type { Clock, OwnNetwork, OwnNetworks } from "../../engine/ports.ts";
import {
  parseIpv4Bridges,
  parseIpv4Gateways,
  parseIpv4Local,
  parseIpv6Gateways,
  parseIpv6Local,
} from "../../wire/kernel/proc-route.ts";

/** Addresses and routes change with the weather of DHCP; asking the kernel takes a tenth of a millisecond. */
const CACHE_MS = 5_000;

/** What this machine itself is, and what all its clients may stand behind, as the kernel tells. */
export class KernelNetworks implements OwnNetworks {
  readonly #clock: Clock;
  readonly #proxies: readonly Prefix[];
  #cached: readonly OwnNetwork[] = [];
  #readAt: Millis | null = null;

  /** `proxies`: networks that forward clients to us, from the settings. */
  constructor(clock: Clock, proxies: readonly Prefix[] = []) {
    this.#clock = clock;
    this.#proxies = proxies;
  }

  current(): readonly OwnNetwork[] {
    const now = this.#clock.now();
    // A clock that was set back must not keep an old answer alive.
    if (this.#readAt === null || now - this.#readAt >= CACHE_MS || now < this.#readAt) {
      this.#cached = [...LOOPBACK, ...addresses(), ...gateways(), ...this.#proxies.map(gateway)];
      this.#readAt = now;
    }
    return this.#cached;
  }
}

const LOOPBACK: readonly OwnNetwork[] = ["127.0.0.0/8", "::1/128"].flatMap((text): readonly OwnNetwork[] => {
  const prefix = parsePrefix(text);
  return prefix === null ? [] : [{ prefix, why: "loopback" }];
});

/** Not os.networkInterfaces(): that leaves out a link without carrier, and for up to a second after it came up. */
function addresses(): readonly OwnNetwork[] {
  const found: readonly Prefix[] = [
    ...parseIpv4Local(readOrNothing("/proc/net/fib_trie")),
    ...parseIpv6Local(readOrNothing("/proc/net/if_inet6")).map(hostPrefix),
  ];
  return found
    .filter((prefix) => !LOOPBACK.some((loopback) => overlaps(loopback.prefix, prefix)))
    .map((prefix) => ({ prefix, why: "own_address" }));
}

function gateways(): readonly OwnNetwork[] {
  const ipv4 = readOrNothing("/proc/net/route");
  const littleEndian = endianness() === "LE";
  const found: readonly Ip[] = [
    ...parseIpv4Gateways(ipv4, littleEndian),
    ...parseIpv4Bridges(ipv4, littleEndian),
    ...parseIpv6Gateways(readOrNothing("/proc/net/ipv6_route")),
  ];
  return [...new Set(found)].map((ip) => gateway(hostPrefix(ip)));
}

function gateway(prefix: Prefix): OwnNetwork {
  return { prefix, why: "gateway" };
}

/** A kernel without IPv6 has no such file. */
function readOrNothing(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
