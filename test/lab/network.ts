import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { mustRun } from "./commands.ts";

/**
 * Four hosts as network namespaces, none with a link to the outside:
 *
 *     server 203.0.113.10, 2001:db8:10::10 ──┐
 *     sender 198.51.100.0/25               ──┼── net: router, and the DNS host 203.0.113.53
 *     attacker 198.51.100.128/25           ──┘
 *
 * The sender owns every address of 198.51.100.64/26 and 2001:db8:b000::/36, the attacker every one of
 * 198.51.100.192/26, 198.18.0.0/16 and 2001:db8:a000::/36 (AnyIP: `ip route add local`), so that each test can come from
 * its own.
 */
export type HostName = "net" | "server" | "sender" | "attacker";
const HOSTS: readonly HostName[] = ["net", "server", "sender", "attacker"];

export const SERVER = { v4: "203.0.113.10", v6: "2001:db8:10::10", gateway: "203.0.113.1" } as const;
export const DNS_HOST = "203.0.113.53";
/** The same host, for a server without IPv4. */
export const DNS_HOST_V6 = "2001:db8:53::53";
/** A resolver of the provider, on that host too. */
export const RESOLVER_V6 = "2001:db8:53::54";
/** Other name servers of the `net` host: those of block lists, and one that no query may reach. */
export const NAME_SERVERS: readonly string[] = ["203.0.113.61", "203.0.113.62", "203.0.113.63", "203.0.113.66"];

const PREFIX = "ghostinbox-lab";

export function namespaceOf(host: HostName, owner: number = process.pid): string {
  return `${PREFIX}-${owner}-${host}`;
}

/** Why namespaces cannot be made here; null if they can. */
export function whyNoLab(): string | null {
  if (process.getuid?.() !== 0) return "network namespaces need root";
  const name = `${PREFIX}-${process.pid}-probe`;
  const made = spawnSync("ip", ["netns", "add", name], { encoding: "utf8" });
  if (made.status !== 0) return `no network namespace can be made: ${made.stderr?.trim() ?? "no ip command"}`;
  spawnSync("ip", ["netns", "delete", name]);
  return null;
}

export async function makeNetwork(): Promise<void> {
  removeLeftovers();
  for (const host of HOSTS) {
    // What `ip netns exec` shows as /etc/resolv.conf inside: the lab's DNS host, for all alike.
    mkdirSync(`/etc/netns/${namespaceOf(host)}`, { recursive: true });
    writeFileSync(
      `/etc/netns/${namespaceOf(host)}/resolv.conf`,
      `nameserver ${DNS_HOST}\noptions timeout:1 attempts:1\n`,
    );
    await ip(["netns", "add", namespaceOf(host)]);
    await inside(host, ["link set lo up"]);
    // Addresses are usable at once: nobody else is on these links.
    await sysctl(host, ["net.ipv6.conf.all.accept_dad=0", "net.ipv6.conf.default.accept_dad=0"]);
  }
  await link("server", ["203.0.113.1/24", "2001:db8:10::1/64"], [`${SERVER.v4}/24`, `${SERVER.v6}/64`]);
  await link("sender", ["198.51.100.1/25", "2001:db8:20::1/64"], ["198.51.100.10/25", "2001:db8:20::10/64"]);
  await link("attacker", ["198.51.100.129/25", "2001:db8:30::1/64"], ["198.51.100.130/25", "2001:db8:30::10/64"]);
  await inside("net", [
    ...[DNS_HOST, ...NAME_SERVERS].map((address) => `addr add ${address}/32 dev lo`),
    ...[DNS_HOST_V6, RESOLVER_V6].map((address) => `addr add ${address}/128 dev lo`),
    "route add 2001:db8:b000::/36 via 2001:db8:20::10",
    "route add 2001:db8:a000::/36 via 2001:db8:30::10",
    "route add 198.18.0.0/16 via 198.51.100.130",
  ]);
  await sysctl("net", ["net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"]);
  await anyIp("sender", ["198.51.100.64/26", "2001:db8:b000::/36"]);
  await anyIp("attacker", ["198.51.100.192/26", "198.18.0.0/16", "2001:db8:a000::/36"]);
}

/** The server has no IPv4 address but loopback. */
export async function takeAwayV4(): Promise<void> {
  await inside("server", [`addr del ${SERVER.v4}/24 dev eth0`]);
}

/** The server, now without a public address, in the network of a router. */
export const INNER = { v4: "192.168.7.10", router: "192.168.7.1" } as const;

/**
 * `net` becomes a router, too: it has the server's public addresses itself, and `rules`, a file of nft(8), say what it passes on. The
 * server has a private address alone.
 */
export async function putBehindRouter(rules: string): Promise<void> {
  await inside("net", [
    "addr flush dev to-server scope global",
    `addr add ${INNER.router}/24 dev to-server`,
    `addr add ${SERVER.v4}/32 dev lo`,
  ]);
  await mustRun(["ip", "netns", "exec", namespaceOf("net"), "nft", "-f", "-"], { input: rules });
  await inside("server", [
    "addr flush dev eth0 scope global",
    `addr add ${INNER.v4}/24 dev eth0`,
    `route add default via ${INNER.router}`,
  ]);
}

/** Ends what still runs in the namespaces and takes them away. Safe to call twice, and from an exit handler. */
export function removeNetwork(owner: number = process.pid): void {
  for (const host of HOSTS) {
    const name = namespaceOf(host, owner);
    const pids = spawnSync("ip", ["netns", "pids", name], { encoding: "utf8" }).stdout ?? "";
    for (const pid of pids.split("\n").filter((line) => line !== "")) {
      try {
        process.kill(Number(pid), "SIGKILL");
      } catch {
        // It has ended meanwhile.
      }
    }
    spawnSync("ip", ["netns", "delete", name], { stdio: "ignore" });
    rmSync(`/etc/netns/${name}`, { recursive: true, force: true });
  }
}

/** What runs in the namespace of a host: process ids and command lines. */
export function processesOf(host: HostName): readonly string[] {
  const found = spawnSync("ip", ["netns", "pids", namespaceOf(host)], { encoding: "utf8" }).stdout;
  const pids = found.split("\n").filter((pid) => pid !== "");
  if (pids.length === 0) return [];
  const listed = spawnSync("ps", ["-ww", "-o", "pid=,args=", "-p", pids.join()], { encoding: "utf8" }).stdout;
  return listed.split("\n").flatMap((line) => (line.trim() === "" ? [] : [line.trim()]));
}

/** Namespaces of a test run that was killed: their owner's process is gone. */
function removeLeftovers(): void {
  let names: readonly string[] = [];
  try {
    names = readdirSync("/run/netns");
  } catch {
    return;
  }
  const owners = names.map((name) => new RegExp(`^${PREFIX}-(\\d+)-`).exec(name)?.[1]);
  for (const owner of new Set(owners)) if (owner !== undefined && !isAlive(Number(owner))) removeNetwork(Number(owner));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function link(host: HostName, routerEnd: readonly [string, string], hostEnd: readonly [string, string]) {
  await ip(
    `link add to-${host} netns ${namespaceOf("net")} type veth peer name eth0 netns ${namespaceOf(host)}`.split(" "),
  );
  await inside("net", [...routerEnd.map((address) => `addr add ${address} dev to-${host}`), `link set to-${host} up`]);
  await inside(host, [...hostEnd.map((address) => `addr add ${address} dev eth0`), "link set eth0 up"]);
  await inside(
    host,
    routerEnd.map((address) => `route add default via ${address.slice(0, address.indexOf("/"))}`),
  );
}

async function anyIp(host: HostName, networks: readonly string[]): Promise<void> {
  // IPv6 refuses to bind an address that no interface carries, whatever the routes say.
  await sysctl(host, ["net.ipv6.ip_nonlocal_bind=1"]);
  await inside(
    host,
    networks.map((network) => `route add local ${network} dev lo`),
  );
}

async function inside(host: HostName, lines: readonly string[]): Promise<void> {
  await mustRun(["ip", "-n", namespaceOf(host), "-batch", "-"], {
    input: lines
      .map(
        (line) => `${line}
`,
      )
      .join(""),
  });
}

async function sysctl(host: HostName, settings: readonly string[]): Promise<void> {
  await ip(["netns", "exec", namespaceOf(host), "sysctl", "-q", "-w", ...settings]);
}

async function ip(argv: readonly string[]): Promise<void> {
  await mustRun(["ip", ...argv]);
}
