import {
  type BanSet,
  type Element,
  type Filling,
  HASH_SETS,
  INTERVAL_SETS,
  outermost,
  type SetChange,
  setOf,
} from "../../core/firewall/plan-firewall.ts";
import { isV4, isV6, networkAddress, type Prefix } from "../../core/net/ip.ts";
import type { CheckDepth } from "../../guard/network-ports.ts";
import { FIRST_OF_CLIENTS } from "../kernel/listeners.ts";
import { type ConnectionLimit, connectionSets, connectionText, NO_CONNECTIONS } from "./connection-rules.ts";
import { removeTable, setText } from "./run-nft.ts";

/** Text for nft(8). Every command names this table, so nothing else on the machine is changed. */
export const TABLE = "inet ghostinbox";
const BAN_SETS = [...HASH_SETS, ...INTERVAL_SETS];
/**
 * Addresses from which no packet comes (RFC 1122, 3.2.1.3; RFC 4291, 2.7), unlike `0.0.0.0`, from which clients ask a DHCP server on this
 * machine. As long as its watermark is in a set, the set has not been emptied.
 */
const WATERMARK = { ban4: "255.255.255.255", ban6: "ff00::", ban6_host: "ff00::" } as const;
/** The counters of the two rules for banned packets, which leave no event. For people and `nftProbe`. */
const COUNTERS = ["dropped", "refused"] as const;

export type TableShape = Readonly<{
  /** The prefix length with which IPv6 is banned. */
  ipv6Length: number;
  /** Open connections that an address may have. Null if there is no limit. */
  connections: ConnectionLimit | null;
  /** Ports that only our programs serve, or reach. Any local program may connect to the others. */
  local: readonly LocalPort[];
  /** Null if no port trusts a PROXY header. */
  proxied: ProxyAccess | null;
  /** Null if any user may query the server's own resolver at any rate. */
  resolver: Resolver | null;
}>;

/** `users`: those whose programs need the resolver, in addition to root's. */
type Resolver = Readonly<{ address: string; users: ReadonlySet<number> }>;

export function onlyBans(ipv6Length: number): TableShape {
  return { ipv6Length, connections: null, local: [], proxied: null, resolver: null };
}

/**
 * For `nft -f`, piece by piece: rebuilds the table with exactly these bans, in one transaction, so that no packet sees it half
 * built. All of it is in one block whose brace closes last, so that nft refuses a text that ends too early, for example because
 * the guard was killed. Declaring a set again adds elements to it.
 */
export function* nftReset(
  fillings: Iterable<Filling>,
  allow: readonly Prefix[],
  shape: TableShape,
): Generator<string, void> {
  yield `${removeTable(TABLE)}table ${TABLE} {\n`;
  yield COUNTERS.map((counter) => `  counter ${counter} { }\n`).join("");
  yield setOfAddresses("allow4", outermost(allow.filter(isV4)));
  yield setOfAddresses("allow6", outermost(allow.filter(isV6)));
  for (const set of HASH_SETS) yield setOfAddresses(set, [WATERMARK[set]]);
  for (const set of INTERVAL_SETS) yield setOfAddresses(set, []);
  for (const { set, elements } of fillings)
    yield setOfAddresses(set, elements.map(set === "net4" || set === "net6" ? printNetwork : printHashed));
  yield tableRules(shape);
}

/**
 * For `nft -f`: protects ports on loopback before the guard builds the table. If a killed server left a table, its bans stay. Its
 * rules for loopback do not, because their ports may have changed.
 */
export function nftLocal(local: readonly LocalPort[]): string {
  return `add table ${TABLE}
add chain ${TABLE} local
delete chain ${TABLE} local
table ${TABLE} {
${localText(local)}}
`;
}

/** One line and one transaction, for `nft -i` and `nft -f`. Empty if there is nothing to do. */
export function nftApply(changes: readonly SetChange[]): string {
  return changes.flatMap(changeCommands).join("; ");
}

function changeCommands(change: SetChange): readonly string[] {
  const at = `${TABLE} ${change.set}`;
  if (change.type === "rebuild") {
    const fill = change.elements.map(printNetwork).join(", ");
    return [`flush set ${at}`, ...(fill === "" ? [] : [`add element ${at} { ${fill} }`])];
  }
  // Deleting a missing element fails, and before Linux 6.12 an existing one keeps its timeout. Add, delete, add always works.
  const touched = [...change.add.map(({ prefix }) => prefix), ...change.remove].map(networkAddress).join(", ");
  const fill = change.add.map(printHashed).join(", ");
  return [
    `add element ${at} { ${touched} }`,
    `delete element ${at} { ${touched} }`,
    ...(fill === "" ? [] : [`add element ${at} { ${fill} }`]),
  ];
}

/**
 * For `nft -c -f` (check only): checks whether these elements are in the hash sets, each by a command that is refused if it
 * exists. `get element` would read all the others too, which takes 0.3 s at 100,000. Networks in interval sets are not
 * checked, because they may be within a wider one.
 */
export function nftPresenceProbe(prefixes: readonly Prefix[], ipv6Length: number): readonly string[] {
  return prefixes.flatMap((prefix) => {
    const set = HASH_SETS.find((hash) => hash === setOf(prefix, ipv6Length));
    return set === undefined ? [] : [`create element ${TABLE} ${set} { ${networkAddress(prefix)} }\n`];
  });
}

/** How many of the probed elements exist, read from nft's errors. */
export function countPresent(probeErrors: string): number {
  return probeErrors.match(/File exists/g)?.length ?? 0;
}

/**
 * For `nft -c -f` (check only, nothing is changed): as long as our table is complete, each command is refused, because rules
 * use the sets and the counters, and the watermarks are in the sets. Reading the sets back would take 0.3 s at 100,000 bans.
 * `quick`: does not check the watermarks, for which nft reads the interval sets.
 */
export function nftProbe(shape: TableShape, depth: CheckDepth): string {
  const present = watermarked(depth).map((set) => `create element ${TABLE} ${set} { ${WATERMARK[set]} }\n`);
  const counted = COUNTERS.map((counter) => `delete counter ${TABLE} ${counter}\n`);
  const used = setsOf(shape).map((set) => `delete set ${TABLE} ${set}\n`);
  // Deleted sets come last, because nft forgets them.
  return [...present, ...counted, ...used].join("");
}

/** Reads the errors of the probe; false if anything of ours is missing. */
export function isWhole(probeErrors: string, shape: TableShape, depth: CheckDepth): boolean {
  const busy = probeErrors.match(/Device or resource busy/g)?.length ?? 0;
  return busy === COUNTERS.length + setsOf(shape).length && countPresent(probeErrors) === watermarked(depth).length;
}

function watermarked(depth: CheckDepth): readonly (keyof typeof WATERMARK)[] {
  return depth === "quick" ? [] : HASH_SETS;
}

function setsOf({ connections, local, proxied, resolver }: TableShape): readonly string[] {
  return [
    ...BAN_SETS,
    "allow4",
    "allow6",
    ...(connections === null ? [] : connectionSets(connections)),
    ...local.flatMap(({ clients }) => clients?.set ?? []),
    ...(proxied === null ? [] : PROXY_SETS),
    ...(resolver === null ? [] : [RESOLVER_USERS]),
  ];
}

const SET_TYPES: Readonly<Record<BanSet | "allow4" | "allow6", string>> = {
  allow4: "ipv4_addr; flags interval",
  allow6: "ipv6_addr; flags interval",
  ban4: "ipv4_addr; flags timeout",
  ban6: "ipv6_addr; flags timeout",
  ban6_host: "ipv6_addr; flags timeout",
  net4: "ipv4_addr; flags interval, timeout",
  net6: "ipv6_addr; flags interval, timeout",
};

function setOfAddresses(set: keyof typeof SET_TYPES, elements: readonly string[]): string {
  return setText(set, SET_TYPES[set], elements);
}

/**
 * Banned packets are dropped before any rule can accept an established connection. Packets of an open session (ACK
 * without SYN) get a reset, so that the peer learns at once; at most 200 a second, so that a flood is not amplified.
 * Answers to this machine from mail servers, name servers and clocks pass. TCP answers reach only ports from which this machine connects,
 * and without a bare SYN they open no session. UDP answers need lower ports too (the resolver picks any), so a UDP service there also
 * gets them. None of this uses connection tracking, whose table a flood could fill.
 * Neighbour discovery is accepted, because otherwise a ban of the machine's own link would cut it off from its router.
 */
function tableRules({ ipv6Length, connections, local, proxied, resolver }: TableShape): string {
  const mask = ipv6Mask(ipv6Length);
  const limits = connections === null ? NO_CONNECTIONS : connectionText(connections, mask);
  const fromProxies = proxiedText(proxied);
  return `${limits.counters}${limits.sets}  chain banned {
    tcp sport 1-1023 tcp dport >= ${FIRST_OF_CLIENTS} tcp flags & (syn | ack) != syn accept
    udp sport { 53, 123 } udp dport >= 1024 accept
    tcp flags & (syn | ack | rst) == ack limit rate 200/second counter name refused reject with tcp reset
    counter name dropped drop
  }
${limits.chain}${fromProxies.text}  chain input {
    type filter hook input priority filter - 10; policy accept;
${fromProxies.rule}    iif lo accept
    icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } accept
    ip saddr @allow4 accept
    ip6 saddr @allow6 accept
    ip saddr @ban4 goto banned
    ip6 saddr & ${mask} @ban6 goto banned
    ip6 saddr @ban6_host goto banned
    ip saddr @net4 goto banned
    ip6 saddr @net6 goto banned
${limits.rule}  }
${limits.arrival}${localText(local)}${resolverText(resolver)}}
`;
}

/** The mask of a prefix length: 48 gives `ffff:ffff:ffff:0:0:0:0:0`. */
function ipv6Mask(length: number): string {
  const groups = Array.from({ length: 8 }, (_, i) => {
    const bits = Math.min(16, Math.max(0, length - i * 16));
    return ((0xffff << (16 - bits)) & 0xffff).toString(16);
  });
  return groups.join(":");
}

/** A hash set stores a network by its first address, because the rule masks the source before the look-up. */
function printHashed({ prefix, timeoutS }: Element): string {
  return networkAddress(prefix) + timeout(timeoutS);
}

function printNetwork({ prefix, timeoutS }: Element): string {
  return prefix + timeout(timeoutS);
}

/** Splits the seconds, because nft refuses more than a few years of plain seconds ("value too large"). */
function timeout(seconds: number | null): string {
  if (seconds === null) return "";
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  return ` timeout ${Math.floor(hours / 24)}d${hours % 24}h${minutes % 60}m${seconds % 60}s`;
}

/** One of our TCP ports on loopback. */
export type LocalPort = Readonly<{
  port: number;
  /** The users who may connect, in addition to root, and their set. A rule uses the set, so its absence is noticed. Null if anyone may. */
  clients: Readonly<{ set: "askers" | "sieve_senders"; users: readonly number[] }> | null;
  /**
   * The user who may answer at the port. While none of our programs listens, another user could: Dovecot would trust the answers, and a
   * proxy would pass on cookies and passwords, or mail. So the kernel drops that user's answer to a SYN, and no connection opens. A SYN
   * cookie has no user. On loopback it is dropped, which is why no user may fill the queue of our own program (`from_here`). Elsewhere
   * it is accepted, because a flood of forged SYNs would otherwise keep everyone out, so a local user who is first at the port can
   * answer by cookies there. Null if not checked.
   */
  server: number | null;
  address: string;
}>;

/**
 * Decides where a connection leaves its program, because the user is known only there. Refuses other users like a closed
 * port.
 */
function localText(local: readonly LocalPort[]): string {
  if (local.length === 0) return "";
  const sets = local.flatMap(({ clients }) =>
    clients === null ? [] : [setText(clients.set, "uid", andRootUser(clients.users))],
  );
  const rules = local.flatMap(({ port, clients, server, address }) => [
    ...(clients === null ? [] : [`    oif lo tcp dport ${port} meta skuid != @${clients.set} reject with tcp reset\n`]),
    ...(server === null
      ? []
      : [`meta skuid ${server} accept`, "oif lo drop", `meta skuid != ${server} drop`].map(
          (verdict) => `    ${fromAddress(address)}tcp sport ${port} ${ANSWER} ${verdict}\n`,
        )),
  ]);
  return `${sets.join("")}  chain local {
    type filter hook output priority filter - 10; policy accept;
${rules.join("")}  }
`;
}

/**
 * Limits queries to the resolver, which works on a few hundred names at once. A local program that keeps asking for slow ones would
 * leave no room for those that mail needs. Counts bytes, because one packet may hold 64 queries (udp(7), UDP_SEGMENT).
 */
function resolverText(resolver: Resolver | null): string {
  if (resolver === null) return "";
  const to = `${familyOf(resolver.address)} daddr ${resolver.address}`;
  return `${setText(RESOLVER_USERS, "uid", andRootUser([...resolver.users]))}  chain resolver {
    type filter hook output priority filter - 10; policy accept;
    ${to} meta l4proto { tcp, udp } th dport 53 meta skuid != @${RESOLVER_USERS} limit rate over 4 kbytes/second burst 16 kbytes drop
  }
`;
}

const RESOLVER_USERS = "resolver_users";

function familyOf(address: string): "ip" | "ip6" {
  return address.includes(":") ? "ip6" : "ip";
}

/** A SYN-ACK, or the SYN of a simultaneous open (RFC 9293, 3.5). */
const ANSWER = "tcp flags & syn == syn";

function fromAddress(address: string): string {
  if (address === "0.0.0.0" || address === "::") return "";
  return `${familyOf(address)} saddr ${address} `;
}

/**
 * The ports at which a PROXY header gives the client's address. Postfix trusts the header of any client, so the firewall accepts only
 * the proxies. If a proxy runs on this machine, every local program has its address, so its user is checked too.
 */
export type ProxyAccess = Readonly<{
  ports: readonly number[];
  networks: readonly Prefix[];
  /** Users whose programs on this machine may connect. Root always may. */
  users: readonly number[];
}>;

/** Rules use these sets, so their absence is noticed. */
const PROXY_SETS = ["proxied", "proxy4", "proxy6", "proxy_users"] as const;

/** `rule` must come first: neither loopback nor the allow list opens these ports. */
function proxiedText(access: ProxyAccess | null): Readonly<{ text: string; rule: string }> {
  if (access === null) return { text: "", rule: "" };
  const networks = outermost(access.networks);
  const sets: Readonly<Record<(typeof PROXY_SETS)[number], string>> = {
    proxied: setText("proxied", "inet_service", access.ports),
    proxy4: setText("proxy4", "ipv4_addr; flags interval", networks.filter(isV4)),
    proxy6: setText("proxy6", "ipv6_addr; flags interval", networks.filter(isV6)),
    proxy_users: setText("proxy_users", "uid", andRootUser(access.users)),
  };
  return {
    text: `${Object.values(sets).join("")}  chain from_proxies {
    ip saddr @proxy4 return
    ip6 saddr @proxy6 return
    reject with tcp reset
  }
  chain local_proxies {
    type filter hook output priority filter - 10; policy accept;
    oif lo tcp dport @proxied meta skuid != @proxy_users reject with tcp reset
  }
`,
    rule: "    tcp dport @proxied jump from_proxies\n",
  };
}

function andRootUser(users: readonly number[]): readonly number[] {
  return [...new Set([0, ...users])];
}
