import type { Passed } from "../../core/firewall/blocked-ports.ts";
import type { ConnectionOrders, ConnectionPlan } from "../../core/firewall/connection-shares.ts";
import { isV4, isV6, networkAddress } from "../../core/net/ip.ts";

/** The TCP ports with limited connections, and how many an address (IPv6: prefix) may have open to all of them together. */
export type ConnectionLimit = Readonly<{
  most: number;
  ports: readonly number[];
  /** Whether `most` applies to each port separately. */
  perPort: boolean;
  /** How many connections programs on this machine may have open to a port. The other limits do not apply to loopback. */
  here?: readonly LocalShare[];
  /** Whether the kernel counts while the guard does not; false for a kernel that cannot. */
  kernelCounts?: boolean;
}>;

/** `spared`: users who may have any number of connections, in addition to root. */
export type LocalShare = Readonly<{ port: number; most: number; of: "all" | "each user"; spared: readonly number[] }>;

/**
 * The sets that the guard fills. `watched`: ports at which it counts. `full`: ports at which strangers hold their whole
 * share, so that only `known4` and `known6` may still connect. Entries expire unless the guard adds them again.
 */
const GUARD_SETS = ["watched", "full", "refused4", "refused6", "known4", "known6"] as const;
const KERNEL_SETS = ["open4", "open6"] as const;
const USERS_SET = "open_users";
/** Connections accepted by our rules, and those that then passed every other program's rules. */
const PASSED = ["offered", "arrived"] as const;
/** After other programs' rules: firewalld's, the last of the usual ones, have priority 10. */
const AFTER_ALL = 300;
const SYN = "tcp flags & (fin | syn | rst | ack) == syn";
/** How many addresses the kernel can count at once, in about 20 MB. Connections of further ones are not counted. */
const COUNTED_ADDRESSES = 65_535;
/** How many users the kernel can count at once. */
const COUNTED_USERS = 1_024;

/** The sets that rules use. If the kernel never counts, none uses `watched`. */
export function connectionSets({ kernelCounts = true, here = [] }: ConnectionLimit): readonly string[] {
  const byUser = here.some((share) => share.of === "each user") ? [USERS_SET] : [];
  return kernelCounts ? [...GUARD_SETS, ...KERNEL_SETS, ...byUser] : GUARD_SETS.filter((set) => set !== "watched");
}

/**
 * Limits connections over loopback. Otherwise a local user could occupy all of Postfix's connections, or fill the dashboard's queue. The
 * programs of this machine get a share rather than the limit of an address, because a proxy here may stand for all clients.
 */
function fromHere(here: readonly LocalShare[]): string {
  if (here.length === 0) return "";
  const rules = here.map(({ port, most, of, spared }) => {
    const over = `ct count over ${most}`;
    const counted = of === "all" ? over : `add @${USERS_SET} { meta skuid ${over} }`;
    const users = [...new Set([0, ...spared])].join(", ");
    return `    oif lo tcp dport ${port} ${SYN} meta skuid != { ${users} } ${counted} reject with tcp reset\n`;
  });
  return `  set ${USERS_SET} { type uid; size ${COUNTED_USERS}; flags dynamic; }
  chain from_here {
    type filter hook output priority filter - 10; policy accept;
${rules.join("")}  }
`;
}

/**
 * Usually the guard counts: it checks established connections, whose clients have answered (guard/enforce/connection-watch.ts), and
 * names the addresses that may open no more. A SYN does not count, because anyone can forge it.
 * While `watched` is empty, because the guard is down or cannot close connections, the kernel counts. It must do so at the SYN, because
 * kernels from 6.18 on do not count a connection that is already confirmed. A connection above the limit is reset. Addresses on
 * the allow list were accepted earlier and do not get here. A reset of the table starts the count from zero.
 * The guard refuses a single IPv6 address if its prefix contains a protected one, so `refused6` is searched without the mask too.
 */
export function connectionText(
  { most, ports, perPort, here = [], kernelCounts = true }: ConnectionLimit,
  mask: string,
): ConnectionText {
  const prefix6 = `ip6 saddr & ${mask}`;
  const refuse = "reject with tcp reset";
  const [portType, port] = perPort ? [" . inet_service", " . tcp dport"] : ["", ""];
  const open = (type: string): string => `type ${type}${portType}; size ${COUNTED_ADDRESSES}; flags dynamic;`;
  return {
    counters: PASSED.flatMap((name) => ports.map((port) => `  counter ${name}_${port} { }\n`)).join(""),
    sets: `  set watched { type inet_service; flags timeout; }
  set full { type inet_service; flags timeout; }
  set refused4 { type ipv4_addr . inet_service; flags timeout; }
  set refused6 { type ipv6_addr . inet_service; flags timeout; }
  set known4 { type ipv4_addr; flags timeout; }
  set known6 { type ipv6_addr; flags timeout; }
${kernelCounts ? `  set open4 { ${open("ipv4_addr")} }\n  set open6 { ${open("ipv6_addr")} }\n` : ""}`,
    chain: `  chain connection_limit {
    ip saddr . tcp dport @refused4 ${refuse}
    ${prefix6} . tcp dport @refused6 ${refuse}
    ip6 saddr . tcp dport @refused6 ${refuse}
    tcp dport @full ip saddr != @known4 ${refuse}
    tcp dport @full ${prefix6} != @known6 ${refuse}
${
  kernelCounts
    ? `    tcp dport != @watched add @open4 { ip saddr${port} ct count over ${most} } ${refuse}
    tcp dport != @watched add @open6 { ${prefix6}${port} ct count over ${most} } ${refuse}
`
    : ""
}${ports.map((port) => `    tcp dport ${port} counter name offered_${port}\n`).join("")}  }
`,
    rule: `    tcp dport { ${ports.join(", ")} } ${SYN} goto connection_limit\n`,
    arrival: `  chain arrival {
    type filter hook input priority ${AFTER_ALL}; policy accept;
    iif lo accept
${ports.map((port) => `    tcp dport ${port} ${SYN} counter name arrived_${port}\n`).join("")}  }
${kernelCounts ? fromHere(here) : ""}`,
  };
}

/** The parts of the table that count and limit connections. */
type ConnectionText = Readonly<Record<"counters" | "sets" | "chain" | "rule" | "arrival", string>>;
export const NO_CONNECTIONS: ConnectionText = { counters: "", sets: "", chain: "", rule: "", arrival: "" };

/** For `nft -f`: reads these counters and sets them to zero. Listing them instead would make nft read every ban. */
export function nftTakePassed(table: string, ports: readonly number[]): string {
  return PASSED.flatMap((name) => ports.map((port) => `reset counter ${table} ${name}_${port}\n`)).join("");
}

/** Reads the output of `nftTakePassed`. Omits ports that the table does not count. */
export function parsePassed(text: string, ports: readonly number[]): ReadonlyMap<number, Passed> {
  return new Map(
    ports.flatMap((port) => {
      const [offered, arrived] = PASSED.map(
        (name) => new RegExp(`counter ${name}_${port} \\{\\s*packets (\\d{1,15}) bytes \\d+`).exec(text)?.[1],
      );
      const isThere = offered !== undefined && arrived !== undefined;
      return isThere ? [[port, { offered: Number(offered), arrived: Number(arrived) }] as const] : [];
    }),
  );
}

/** For `nft -f`: replaces the earlier orders of the guard, in one transaction. */
export function nftConnections(
  table: string,
  { watched, refused, full, known }: ConnectionOrders,
  timeoutS: number,
): string {
  const pair = ({ prefix, port }: ConnectionPlan["refused"][number]): string => `${networkAddress(prefix)} . ${port}`;
  const elements: Readonly<Record<(typeof GUARD_SETS)[number], readonly (string | number)[]>> = {
    watched,
    full,
    refused4: refused.filter(({ prefix }) => isV4(prefix)).map(pair),
    refused6: refused.filter(({ prefix }) => isV6(prefix)).map(pair),
    known4: known.filter(isV4).map(networkAddress),
    known6: known.filter(isV6).map(networkAddress),
  };
  return GUARD_SETS.map((set) => {
    const fill = [...new Set(elements[set])].map((element) => `${element} timeout ${timeoutS}s`).join(", ");
    const add = fill === "" ? "" : `add element ${table} ${set} { ${fill} }\n`;
    return `flush set ${table} ${set}\n${add}`;
  }).join("");
}
