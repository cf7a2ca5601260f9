import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { mustRun, signal } from "./commands.ts";
import { keepForRun, keptByRun } from "./kept-by-run.ts";

/**
 * Four hosts as network namespaces, none with a link to the outside:
 *
 *     server 203.0.113.10, 2001:db8:10::10 ──┐
 *     sender 198.51.100.0/25               ──┼── net: router, and the DNS host 203.0.113.53
 *     attacker 198.51.100.128/25           ──┘
 *
 * The sender owns every address of 198.51.100.64/26, 2001:db8:b000::/36 and 3fff::/20 (4,096 sites), the attacker every one of
 * 198.51.100.192/26, 198.18.0.0/16 and 2001:db8:a000::/36 (AnyIP: `ip route add local`), so that each test can have its
 * own.
 */
export type HostName = "net" | "server" | "sender" | "attacker";
const HOSTS: readonly HostName[] = ["net", "server", "sender", "attacker"];

export const SERVER = { v4: "203.0.113.10", v6: "2001:db8:10::10", gateway: "203.0.113.1" } as const;
export const DNS_HOST = "203.0.113.53";
/** The same host, for a server without IPv4. */
export const DNS_HOST_V6 = "2001:db8:53::53";
/** A resolver of the provider, on the same host. */
export const RESOLVER_V6 = "2001:db8:53::54";
/** Other name servers of the `net` host: those of block lists, and one that no query may reach. */
export const NAME_SERVERS: readonly string[] = ["203.0.113.61", "203.0.113.62", "203.0.113.63", "203.0.113.66"];

/** For each link: the router's end, the host's end, and the networks in which the host has every address. */
const ADDRESSES = {
  server: {
    router: ["203.0.113.1/24", "2001:db8:10::1/64"],
    own: [`${SERVER.v4}/24`, `${SERVER.v6}/64`],
    any: [],
  },
  sender: {
    router: ["198.51.100.1/25", "2001:db8:20::1/64"],
    own: ["198.51.100.10/25", "2001:db8:20::10/64"],
    any: ["198.51.100.64/26", "2001:db8:b000::/36", "3fff::/20"],
  },
  attacker: {
    router: ["198.51.100.129/25", "2001:db8:30::1/64"],
    own: ["198.51.100.130/25", "2001:db8:30::10/64"],
    any: ["198.51.100.192/26", "198.18.0.0/16", "2001:db8:a000::/36"],
  },
} as const;

const PREFIX = "ghostinbox-lab";

export const namespaceOf = (host: HostName, owner: number = process.pid): string => `${PREFIX}-${owner}-${host}`;

/** Why namespaces cannot be made here; null if they can. One file of a run checks it for all. */
export function whyNoLab(): string | null {
  if (process.getuid?.() !== 0) return "network namespaces need root";
  if (keptByRun("namespaces") !== null) return null;
  const name = `${PREFIX}-${process.pid}-probe`;
  const made = spawnSync("ip", ["netns", "add", name], { encoding: "utf8" });
  if (made.status !== 0) return `no network namespace can be made: ${made.stderr?.trim() ?? "no ip command"}`;
  spawnSync("ip", ["netns", "delete", name]);
  keepForRun("namespaces", "can be made");
  return null;
}

/** Uses one shell: a process for each command would cost more than the commands. */
export async function makeNetwork(): Promise<void> {
  removeLeftovers();
  for (const host of HOSTS) {
    // `ip netns exec` shows this as /etc/resolv.conf inside. All hosts use the lab's DNS host.
    const etc = `/etc/netns/${namespaceOf(host)}`;
    mkdirSync(etc, { recursive: true });
    writeFileSync(`${etc}/resolv.conf`, `nameserver ${DNS_HOST}\noptions timeout:1 attempts:1\n`);
  }
  const links = ["server", "sender", "attacker"] as const;
  const veth = `netns ${namespaceOf("net")} type veth peer name eth0 netns`;
  const spaces = HOSTS.map((host) => `netns add ${namespaceOf(host)}`);
  const pairs = links.map((host) => `link add to-${host} ${veth} ${namespaceOf(host)}`);
  const script = [
    "set -e",
    batch("", spaces),
    ...HOSTS.map((host) => kernelSettings(host)),
    batch("", pairs),
    batch("net", [
      "link set lo up",
      ...links.flatMap((host) => [
        ...ADDRESSES[host].router.map((address) => `addr add ${address} dev to-${host}`),
        `link set to-${host} up`,
      ]),
      ...[DNS_HOST, ...NAME_SERVERS].map((address) => `addr add ${address}/32 dev lo`),
      ...[DNS_HOST_V6, RESOLVER_V6].map((address) => `addr add ${address}/128 dev lo`),
      "route add 2001:db8:b000::/36 via 2001:db8:20::10",
      "route add 3fff::/20 via 2001:db8:20::10",
      "route add 2001:db8:a000::/36 via 2001:db8:30::10",
      "route add 198.18.0.0/16 via 198.51.100.130",
    ]),
    ...links.map((host) =>
      batch(host, [
        "link set lo up",
        ...ADDRESSES[host].own.map((address) => `addr add ${address} dev eth0`),
        "link set eth0 up",
        ...ADDRESSES[host].router.map((address) => `route add default via ${address.slice(0, address.indexOf("/"))}`),
        ...ADDRESSES[host].any.map((network) => `route add local ${network} dev lo`),
      ]),
    ),
  ];
  await mustRun(["sh"], { input: script.join("\n") });
}

/** Leaves the server no IPv4 address but loopback. */
export const takeAwayV4 = () => inside("server", [`addr del ${SERVER.v4}/24 dev eth0`]);

/** Moves the server, without a public address, into the network of a router. */
export const INNER = { v4: "192.168.7.10", router: "192.168.7.1" } as const;

/**
 * Makes `net` a NAT router, too: it takes over the server's public addresses, and `rules`, a file of nft(8), say what it forwards.
 * The server keeps only a private address.
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

/** Ends processes in the namespaces and removes them. Safe to call twice, and from an exit handler. */
export function removeNetwork(owner: number = process.pid): void {
  const names = HOSTS.map((host) => namespaceOf(host, owner));
  for (const pid of pidsIn(names)) signal(pid, "SIGKILL");
  const there = names.filter((name) => existsSync(`/run/netns/${name}`));
  const input = there.map((name) => `netns delete ${name}\n`).join("");
  if (input !== "") spawnSync("ip", ["-force", "-batch", "-"], { input, stdio: ["pipe", "ignore", "ignore"] });
  for (const name of names) rmSync(`/etc/netns/${name}`, { recursive: true, force: true });
}

/** Lists what runs in a host's namespace: process ids with command lines, or the name of an ended process in brackets. */
export function processesOf(host: HostName): readonly string[] {
  return pidsIn([namespaceOf(host)]).flatMap((pid) => {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").replace(/\0$/, "").split("\0").join(" ");
      return [`${pid} ${words === "" ? `[${readFileSync(`/proc/${pid}/comm`, "utf8").trim()}]` : words}`];
    } catch {
      return []; // It has just ended.
    }
  });
}

/** Like `ip netns pids`, without a process for each call. */
function pidsIn(names: readonly string[]): readonly number[] {
  const namespaces = new Set(names.map((name) => inodeOf(`/run/netns/${name}`)).filter((inode) => inode !== null));
  if (namespaces.size === 0) return [];
  return readdirSync("/proc").flatMap((name) => {
    const inode = /^\d+$/.test(name) ? inodeOf(`/proc/${name}/ns/net`) : null;
    return inode !== null && namespaces.has(inode) ? [Number(name)] : [];
  });
}

/** The id of a namespace (namespaces(7)); null if there is none. */
function inodeOf(path: string): number | null {
  try {
    return statSync(path).ino;
  } catch {
    return null;
  }
}

/** Namespaces of a killed test run, whose process is gone. */
function removeLeftovers(): void {
  const names = existsSync("/run/netns") ? readdirSync("/run/netns") : [];
  const owners = names.map((name) => new RegExp(`^${PREFIX}-(\\d+)-`).exec(name)?.[1]);
  for (const owner of new Set(owners))
    if (owner !== undefined && !signal(Number(owner), 0)) removeNetwork(Number(owner));
}

/** Set before there is a link, because each link inherits them. */
function kernelSettings(host: HostName): string {
  const settings = [
    // Addresses are usable at once, because these links have no other hosts.
    "ipv6/conf/all/accept_dad=0",
    "ipv6/conf/default/accept_dad=0",
    ...(host === "net" ? ["ipv4/ip_forward=1", "ipv6/conf/all/forwarding=1"] : []),
    // IPv6 refuses to bind an address that no interface has, regardless of routes.
    ...(host === "sender" || host === "attacker" ? ["ipv6/ip_nonlocal_bind=1"] : []),
  ];
  const writes = settings.map((setting) => setting.replace(/(.*)=(.*)/, "echo $2 >/proc/sys/net/$1"));
  return `nsenter --net=/run/netns/${namespaceOf(host)} sh -ec '${writes.join("; ")}'`;
}

const batch = (host: HostName | "", lines: readonly string[]): string =>
  `ip ${host === "" ? "" : `-n ${namespaceOf(host)} `}-batch - <<.\n${lines.map(atOnce).join("\n")}\n.`;

/** Makes an IPv6 address usable at once. Otherwise no program can bind it until the kernel has decided not to look for duplicates. */
const atOnce = (line: string): string => (/^addr add \S*:/.test(line) ? `${line} nodad` : line);

const inside = (host: HostName, lines: readonly string[]) => mustRun(["sh"], { input: batch(host, lines) });
