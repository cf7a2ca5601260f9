import { existsSync, readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { type Ip, isPrivate, parseIp } from "../../core/net/ip.ts";
import { parseIpv4Gateways } from "./own-networks.ts";

/** The machine's addresses without loopback, as the kernel lists them. */
export function ownAddresses(): readonly Ip[] {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.flatMap(({ address, internal }) => (internal ? [] : (parseIp(address) ?? [])));
}

export function isPublic(address: Ip): boolean {
  return !isPrivate(address);
}

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
    hasGateway: parseIpv4Gateways(readFileSync("/proc/net/route", "utf8")).length > 0,
  };
}
