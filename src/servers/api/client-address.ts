import { contains, type Ip, type Prefix, parseIp } from "../../core/net/ip.ts";

/** The most proxies in a row that are looked at. A longer header is forged. */
const HOPS = 32;

export type ClientOrigin = Readonly<{
  ip: Ip;
  /** The client used https, according to a trusted proxy. */
  secure: boolean;
}>;

/**
 * Where a request comes from. `X-Forwarded-For` is believed only from a trusted proxy, and read from the right: each
 * proxy appends its peer, so the rightmost address that is not a trusted proxy is the last that cannot be forged.
 */
export function originOf(
  peer: Ip,
  forwardedFor: string | null,
  forwardedProto: string | null,
  trusted: readonly Prefix[],
): ClientOrigin {
  const isTrusted = (ip: Ip): boolean => trusted.some((network) => contains(network, ip));
  if (!isTrusted(peer)) return { ip: peer, secure: false };

  const proto = forwardedProto?.split(",").at(-1)?.trim().toLowerCase();
  return { ip: lastUntrusted(peer, forwardedFor ?? "", isTrusted), secure: proto === "https" };
}

function lastUntrusted(peer: Ip, header: string, isTrusted: (ip: Ip) => boolean): Ip {
  let nearest = peer;
  const hops = header.split(",").slice(-HOPS).reverse();
  for (const hop of hops) {
    const ip = parseIp(hop.trim());
    if (ip === null) return nearest; // what stands further left was written by somebody who writes nonsense
    nearest = ip;
    if (!isTrusted(ip)) return ip;
  }
  return nearest;
}
