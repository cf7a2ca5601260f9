import { existsSync, readFileSync } from "node:fs";
import { endianness, networkInterfaces } from "node:os";
import { type Ip, parseIp } from "../../core/net/ip.ts";
import { parseIpv4Gateways } from "./own-networks.ts";

/** The machine's addresses without loopback, as the kernel lists them. */
export function ownAddresses(): readonly Ip[] {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all
    .filter(({ internal }) => !internal)
    .map(({ address }) => parseIp(address))
    .filter((address) => address !== null);
}

export function isPublic(address: Ip): boolean {
  return !PRIVATE.test(address);
}

/** RFC 1918, RFC 6598, RFC 3927, RFC 4193, RFC 4291 section 2.5.6. */
const PRIVATE =
  /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|169\.254\.|f[cd]|fe[89ab])/i;

/** The links of a machine that have an IPv4 address. */
type Ipv4Links = Readonly<{ links: readonly string[]; isBridge: (link: string) => boolean; hasGateway: boolean }>;

/** Whether the machine can reach the internet over IPv4. A Docker bridge has an address but leads nowhere without a gateway. */
export function hasIpv4Way({ links, isBridge, hasGateway }: Ipv4Links = ofKernel()): boolean {
  return links.some((link) => hasGateway || !isBridge(link));
}

function ofKernel(): Ipv4Links {
  const links = Object.entries(networkInterfaces()).flatMap(([link, addresses = []]) =>
    addresses.some(({ family, internal }) => family === "IPv4" && !internal) ? [link] : [],
  );
  return {
    links,
    isBridge: (link) => existsSync(`/sys/class/net/${link}/bridge`),
    hasGateway: parseIpv4Gateways(readFileSync("/proc/net/route", "utf8"), endianness() === "LE").length > 0,
  };
}
