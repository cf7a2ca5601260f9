import { readFileSync } from "node:fs";
import type { OwnNetwork } from "../../core/decide/sparing.ts";
import { nullOn, readOr } from "../../core/error.ts";
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
import type { OwnNetworks } from "../../guard/network-ports.ts";
import type { Clock } from "../../guard/ports.ts";
import { type ByteOrder, parseKernelIp } from "../kernel/tcp-sockets.ts";

/** DHCP can change addresses and routes at any time; asking the kernel takes 0.1 ms. */
const CACHE_MS = 5_000;

/** Caches `ownNetworks` for a few seconds. Throws if the first read fails. If a later one fails, the last answer stays in use. */
export function createOwnNetworks(clock: Clock, proxies: readonly Prefix[]): OwnNetworks {
  let cached = ownNetworks(proxies);
  let readAt = clock.now();
  return {
    current: () => {
      const now = clock.now();
      // If the clock is set back, an old answer must not stay in use.
      if (now - readAt >= CACHE_MS || now < readAt) {
        cached = readOr(() => ownNetworks(proxies), cached);
        readAt = now;
      }
      return cached;
    },
  };
}

/**
 * The machine's own addresses, and the networks that may hide all clients, as the kernel reports them. `proxies`: networks that forward
 * clients to us, from the settings. Throws if the kernel cannot be asked now, for example without a free descriptor.
 */
export function ownNetworks(proxies: readonly Prefix[]): readonly OwnNetwork[] {
  const loopback = LOOPBACK.map((prefix) => ({ prefix, why: "loopback" }) as const);
  return [...loopback, ...addresses(), ...gateways(), ...proxies.map(gateway)];
}

/** Avoids os.networkInterfaces(), which omits links without carrier, and new links for up to a second. */
function addresses(): readonly OwnNetwork[] {
  const found: readonly Prefix[] = [
    ...parseIpv4Local(kernelTable("fib_trie")),
    ...parseIpv6Local(kernelTable("if_inet6")).map(hostPrefix),
  ];
  return found
    .filter((prefix) => !LOOPBACK.some((loopback) => overlaps(loopback, prefix)))
    .map((prefix) => ({ prefix, why: "own_address" }));
}

function gateways(): readonly OwnNetwork[] {
  const ipv4 = kernelTable("route");
  const found: readonly Ip[] = [
    ...parseIpv4Gateways(ipv4),
    ...parseIpv4Bridges(ipv4),
    ...parseIpv6Gateways(kernelTable("ipv6_route")),
  ];
  return [...new Set(found)].map((ip) => gateway(hostPrefix(ip)));
}

/** Empty if the kernel does not have the table, for example without IPv6. */
function kernelTable(name: string): string {
  return nullOn(["ENOENT"], () => readFileSync(`/proc/net/${name}`, "utf8")) ?? "";
}

function gateway(prefix: Prefix): OwnNetwork {
  return { prefix, why: "gateway" };
}

/** Kernel routing flags (linux/route.h): the route is usable, and leads through a gateway. */
const RTF_UP = 0x1;
const RTF_GATEWAY = 0x2;

/** Gateways of the default routes in /proc/net/route (proc_net(5)). */
export function parseIpv4Gateways(text: string, order?: ByteOrder): readonly Ip[] {
  return rows(text).flatMap(([, destination, gateway = "", flags = "", , , , mask]) => {
    const isDefault = destination === "00000000" && mask === "00000000";
    return isDefault && hasFlags(flags, RTF_UP | RTF_GATEWAY) ? address(gateway, order) : [];
  });
}

/**
 * A container's bridges, by convention the first address of each private network of this machine. Only one of several networks
 * has the default route, but clients may come through any.
 */
export function parseIpv4Bridges(text: string, order?: ByteOrder): readonly Ip[] {
  return rows(text).flatMap(([, destination = "", gateway, flags = "", , , , mask]) => {
    if (gateway !== "00000000" || mask === "00000000" || !hasFlags(flags, RTF_UP)) return [];
    const first = parseKernelIp(destination, order)?.replace(/\d+$/, (last) => String(Number(last) + 1));
    const ip = parseIp(first ?? "");
    return ip !== null && isPrivate(ip) ? [ip] : [];
  });
}

/** Gateways of the default routes in /proc/net/ipv6_route. */
export function parseIpv6Gateways(text: string): readonly Ip[] {
  return rows(text).flatMap(([destination = "", length, , , gateway = "", , , , flags = ""]) => {
    const isDefault = /^0{32}$/.test(destination) && length === "00";
    return isDefault && hasFlags(flags, RTF_UP | RTF_GATEWAY) ? address(gateway, "BE") : [];
  });
}

/**
 * The IPv4 addresses that the kernel treats as its own, from /proc/net/fib_trie, where an address is followed by its routes.
 * Unlike a list of interfaces, it includes addresses of a link that is down, and whole networks (AnyIP).
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

/** The IPv6 addresses of every interface, from /proc/net/if_inet6. `wanted`: only those with this flag (linux/if_addr.h). */
export function parseIpv6Local(text: string, wanted = 0): readonly Ip[] {
  return rows(text).flatMap(([hexadecimal = "", , , , flags = "0"]) =>
    hasFlags(flags, wanted) ? address(hexadecimal, "BE") : [],
  );
}

const IFA_F_DEPRECATED = 0x20;

/** IPv6 addresses that new connections use only if there is no other (RFC 4862 section 5.5.4). */
export function deprecatedAddresses(): readonly Ip[] {
  return parseIpv6Local(kernelTable("if_inet6"), IFA_F_DEPRECATED);
}

function rows(text: string): readonly (readonly string[])[] {
  return text.split("\n").map((line) => line.trim().split(/\s+/));
}

function hasFlags(flags: string, wanted: number): boolean {
  return /^[0-9a-f]{1,8}$/i.test(flags) && (Number.parseInt(flags, 16) & wanted) === wanted;
}

/** `0101A8C0` in little-endian is 192.168.1.1; IPv6 is always in network byte order. */
function address(hexadecimal: string, order?: ByteOrder): readonly Ip[] {
  const ip = parseKernelIp(hexadecimal, order);
  return ip === null || ip === "::" || ip === "0.0.0.0" ? [] : [ip];
}
