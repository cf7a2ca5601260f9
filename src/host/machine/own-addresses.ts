import { createSocket } from "node:dgram";
import { once } from "node:events";
import { networkInterfaces } from "node:os";
import { type Ip, isPrivate, isV4, parseIp } from "../../core/net/ip.ts";
import { deprecatedAddresses } from "./own-networks.ts";

/** The machine's addresses without loopback, as the kernel lists them. */
export function ownAddresses(): readonly Ip[] {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.flatMap(({ address, internal }) => (internal ? [] : (parseIp(address) ?? [])));
}

/**
 * The addresses that need DNS records. The kernel connects from a deprecated IPv6 address (RFC 4862 section 5.5.4), such as an expired
 * privacy address, only if it has no other (RFC 6724 section 5, rule 3). `deprecated`: from /proc/net/if_inet6.
 */
export function publicAmong(addresses: readonly Ip[], deprecated = deprecatedAddresses()): readonly Ip[] {
  const all = addresses.filter((address) => !isPrivate(address));
  const current = all.filter((address) => !deprecated.includes(address));
  return current.every(isV4) ? all : current;
}

/** Addresses of a root name server (https://www.iana.org/domains/root/servers). */
const FAR = ["198.41.0.4", "2001:503:ba3e::2:30"].flatMap((address) => parseIp(address) ?? []);

/**
 * The addresses from which the kernel reaches the Internet, one per family. Connecting a UDP socket looks up the route and sends nothing.
 * Unlike /proc/net/route, this includes policy routing (ip-rule(8)). A Docker bridge or a tunnel to its own network is not such a route.
 */
export async function outgoingAddresses(to: readonly Ip[] = FAR): Promise<readonly Ip[]> {
  return (await Promise.all(to.map(sourceFor))).filter((source) => source !== null);
}

/** Null without a route. */
async function sourceFor(to: Ip): Promise<Ip | null> {
  const socket = createSocket(isV4(to) ? "udp4" : "udp6");
  try {
    socket.connect(53, to);
    await once(socket, "connect");
    return parseIp(socket.address().address);
  } catch {
    return null;
  } finally {
    socket.close();
  }
}
