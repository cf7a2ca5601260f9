import { existsSync, readFileSync } from "node:fs";
import { endianness, networkInterfaces } from "node:os";
import { parseIpv4Gateways } from "../../wire/kernel/proc-route.ts";

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
