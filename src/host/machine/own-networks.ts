import { endianness } from "node:os";
import type { OwnNetwork } from "../../core/decide/sparing.ts";
import {
  hostPrefix,
  type Ip,
  isPrivate,
  LOOPBACK,
  overlaps,
  type Prefix,
  parseIp,
  parsePrefix,
} from "../../core/net/ip.ts";
import type { Millis } from "../../core/time.ts";
import type { OwnNetworks } from "../../guard/network-ports.ts";
import type { Clock } from "../../guard/ports.ts";
import { textOrNothing } from "./read-text.ts";

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
    ...parseIpv4Local(textOrNothing("/proc/net/fib_trie")),
    ...parseIpv6Local(textOrNothing("/proc/net/if_inet6")).map(hostPrefix),
  ];
  return found
    .filter((prefix) => !LOOPBACK.some((loopback) => overlaps(loopback, prefix)))
    .map((prefix) => ({ prefix, why: "own_address" }));
}

function gateways(): readonly OwnNetwork[] {
  const ipv4 = textOrNothing("/proc/net/route");
  const littleEndian = endianness() === "LE";
  const found: readonly Ip[] = [
    ...parseIpv4Gateways(ipv4, littleEndian),
    ...parseIpv4Bridges(ipv4, littleEndian),
    ...parseIpv6Gateways(textOrNothing("/proc/net/ipv6_route")),
  ];
  return [...new Set(found)].map((ip) => gateway(hostPrefix(ip)));
}

function gateway(prefix: Prefix): OwnNetwork {
  return { prefix, why: "gateway" };
}

/** Kernel routing flags (linux/route.h): the route is usable, and leads through a gateway. */
const RTF_UP = 0x1;
const RTF_GATEWAY = 0x2;

/** Gateways of the default routes in /proc/net/route (proc_net(5)): hexadecimal in the machine's byte order. */
export function parseIpv4Gateways(text: string, littleEndian: boolean): readonly Ip[] {
  return rows(text).flatMap((columns) => {
    const [, destination, gateway, flags, , , , mask] = columns;
    if (destination !== "00000000" || mask !== "00000000" || !leadsThroughGateway(flags)) return [];
    if (gateway === undefined || !/^[0-9A-Fa-f]{8}$/.test(gateway)) return [];
    return address(dotted(gateway, littleEndian));
  });
}

/**
 * A container's bridge, by convention: the first address of each private network of this machine. Of several networks
 * only one has the default route, and clients may come through any.
 */
export function parseIpv4Bridges(text: string, littleEndian: boolean): readonly Ip[] {
  return rows(text).flatMap((columns) => {
    const [, destination = "", gateway, flags = "", , , , mask] = columns;
    if (gateway !== "00000000" || mask === "00000000" || !/^[0-9A-Fa-f]{8}$/.test(destination)) return [];
    if ((Number.parseInt(flags, 16) & RTF_UP) === 0) return [];
    const network = dotted(destination, littleEndian);
    return address(network.replace(/\d+$/, (last) => String(Number(last) + 1))).filter(isPrivate);
  });
}

/** Gateways of the default routes in /proc/net/ipv6_route: hexadecimal in network byte order. */
export function parseIpv6Gateways(text: string): readonly Ip[] {
  return rows(text).flatMap((columns) => {
    const [destination, length, , , gateway, , , , flags] = columns;
    if (destination === undefined || !/^0{32}$/.test(destination) || length !== "00") return [];
    if (gateway === undefined || !/^[0-9A-Fa-f]{32}$/.test(gateway) || !leadsThroughGateway(flags)) return [];
    return ipv6(gateway);
  });
}

/**
 * The IPv4 addresses that the kernel treats as its own, from /proc/net/fib_trie: an address, and in the lines below it
 * its routes. Unlike a list of interfaces, it includes those of a link that is down, and whole networks (AnyIP).
 */
export function parseIpv4Local(text: string): readonly Prefix[] {
  const found = new Set<Prefix>();
  let address = "";
  for (const line of text.split("\n")) {
    address = /^\s*\|-- ([\d.]{7,15})$/.exec(line)?.[1] ?? address;
    const length = /^\s*\/(\d{1,2}) host LOCAL$/.exec(line)?.[1];
    const network = length === undefined ? null : parsePrefix(`${address}/${length}`);
    if (network !== null) found.add(network);
  }
  return [...found];
}

/** The IPv6 addresses of every interface, from /proc/net/if_inet6. */
export function parseIpv6Local(text: string): readonly Ip[] {
  return rows(text).flatMap(([hexadecimal = ""]) => (/^[0-9a-f]{32}$/i.test(hexadecimal) ? ipv6(hexadecimal) : []));
}

function rows(text: string): readonly (readonly string[])[] {
  return text.split("\n").map((line) => line.trim().split(/\s+/));
}

/** `0101A8C0` in little-endian is 192.168.1.1. */
function dotted(hexadecimal: string, littleEndian: boolean): string {
  const bytes = [0, 2, 4, 6].map((at) => Number.parseInt(hexadecimal.slice(at, at + 2), 16));
  return (littleEndian ? bytes.reverse() : bytes).join(".");
}

function leadsThroughGateway(flags: string | undefined): boolean {
  if (flags === undefined || !/^[0-9A-Fa-f]{1,8}$/.test(flags)) return false;
  const bits = Number.parseInt(flags, 16);
  return (bits & RTF_UP) !== 0 && (bits & RTF_GATEWAY) !== 0;
}

function address(text: string): readonly Ip[] {
  const ip = parseIp(text);
  return ip === null || ip === "::" || ip === "0.0.0.0" ? [] : [ip];
}

function ipv6(hexadecimal: string): readonly Ip[] {
  return address((hexadecimal.match(/.{4}/g) ?? []).join(":"));
}
