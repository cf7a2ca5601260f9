import { createSocket } from "node:dgram";
import { once } from "node:events";
import { networkInterfaces } from "node:os";
import { type Ip, isPrivate, isV4, parseIp } from "../../core/net/ip.ts";

/** The machine's addresses without loopback, as the kernel lists them. */
export function ownAddresses(): readonly Ip[] {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.flatMap(({ address, internal }) => (internal ? [] : (parseIp(address) ?? [])));
}

export function isPublic(address: Ip): boolean {
  return !isPrivate(address);
}

/** Addresses of a root name server (https://www.iana.org/domains/root/servers). */
const FAR = ["198.41.0.4", "2001:503:ba3e::2:30"].flatMap((address) => parseIp(address) ?? []);

/** Whether the kernel has an IPv4 route to the internet. */
export async function hasIpv4Way(): Promise<boolean> {
  return (await outgoingAddresses()).some(isV4);
}

/**
 * The addresses from which the kernel reaches others, by family. Connecting a UDP socket looks up the route and sends nothing; unlike
 * /proc/net/route, this includes policy routing (ip-rule(8)). A Docker bridge or a tunnel that leads only to its own network has no route.
 */
export async function outgoingAddresses(to: readonly Ip[] = FAR): Promise<readonly Ip[]> {
  return (await Promise.all(to.map(sourceFor))).filter((source) => source !== null);
}

/** Returns null without a route. */
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
