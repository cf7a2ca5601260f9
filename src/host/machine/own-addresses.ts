import { createSocket } from "node:dgram";
import { once } from "node:events";
import { networkInterfaces } from "node:os";
import { type Ip, isPrivate, parseIp } from "../../core/net/ip.ts";

/** The machine's addresses without loopback, as the kernel lists them. */
export function ownAddresses(): readonly Ip[] {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.flatMap(({ address, internal }) => (internal ? [] : (parseIp(address) ?? [])));
}

export function isPublic(address: Ip): boolean {
  return !isPrivate(address);
}

/** An address of a root name server (RFC 9609). */
const FAR = "198.41.0.4";

/**
 * Whether the kernel has an IPv4 route to the internet. Connecting a UDP socket looks it up and sends nothing; unlike /proc/net/route, this
 * includes policy routing (ip-rule(8)). An address is not enough: a Docker bridge or a tunnel may lead only to its own network.
 */
export async function hasIpv4Way(to = FAR): Promise<boolean> {
  const socket = createSocket("udp4");
  try {
    socket.connect(53, to);
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.close();
  }
}
