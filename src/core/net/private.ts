import { type Ip, isV4 } from "./ip.ts";

/** RFC 1918, RFC 6598 (behind a provider's NAT), RFC 3927; RFC 4193 and link-local in IPv6. */
export function isPrivate(ip: Ip): boolean {
  if (!isV4(ip)) return /^f([cd]|e[89ab])/.test(ip);
  return /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|169\.254\.)/.test(ip);
}
