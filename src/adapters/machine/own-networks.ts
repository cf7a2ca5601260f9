import { readFileSync } from "node:fs";
import { endianness } from "node:os";
import type { OwnNetwork } from "../../core/decide/sparing.ts";
import { hostPrefix, type Ip, LOOPBACK, overlaps, type Prefix } from "../../core/net/ip.ts";
import type { Millis } from "../../core/time.ts";
import type { OwnNetworks } from "../../engine/network-ports.ts";
import type { Clock } from "../../engine/ports.ts";
import {
  parseIpv4Bridges,
  parseIpv4Gateways,
  parseIpv4Local,
  parseIpv6Gateways,
  parseIpv6Local,
} from "../../wire/kernel/proc-route.ts";

/** DHCP can change addresses and routes at any time; asking the kernel takes 0.1 ms. */
const CACHE_MS = 5_000;

/** The machine's own addresses, and the networks that may hide all clients, as the kernel reports them. */
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
    // If the clock is set back, an old answer must not stay in use.
    if (this.#readAt === null || now - this.#readAt >= CACHE_MS || now < this.#readAt) {
      this.#cached = [...loopback(), ...addresses(), ...gateways(), ...this.#proxies.map(gateway)];
      this.#readAt = now;
    }
    return this.#cached;
  }
}

function loopback(): readonly OwnNetwork[] {
  return LOOPBACK.map((prefix) => ({ prefix, why: "loopback" }));
}

/** Not os.networkInterfaces(): it omits links without carrier, and new links for up to a second. */
function addresses(): readonly OwnNetwork[] {
  const found: readonly Prefix[] = [
    ...parseIpv4Local(readOrNothing("/proc/net/fib_trie")),
    ...parseIpv6Local(readOrNothing("/proc/net/if_inet6")).map(hostPrefix),
  ];
  return found
    .filter((prefix) => !LOOPBACK.some((loopback) => overlaps(loopback, prefix)))
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
