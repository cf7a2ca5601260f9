import type { Isolation } from "../../core/incident/isolation.ts";
import { isV4, type Prefix } from "../../core/net/ip.ts";

/**
 * The table of an isolated server: apart from the guard's, so that neither the guard nor `break-glass` opens it. It comes
 * before the guard's; who passes here is still judged there.
 */
export const ISOLATION_TABLE = "inet ghostinbox_isolation";

export type IsolatedPorts = Readonly<{
  smtp: readonly number[];
  /** Where users sign in, the dashboard's among them. */
  signIn: readonly number[];
  /** Of the relay through which mail is sent; null: it goes to port 25 of each server. */
  relay: number | null;
}>;

/**
 * For `nft -f`. A stranger's connection is refused and not dropped: a server that sends mail learns at once that it must try
 * again later. Only TCP: no port of this server speaks UDP to the outside, and answers to its own questions pass.
 */
export function nftIsolate({ allow, ssh, shut }: Isolation, ports: IsolatedPorts): string {
  const open = [
    ...ssh,
    ...(shut.includes("receive") ? [] : ports.smtp),
    ...(shut.includes("sign-in") ? [] : ports.signIn),
  ];
  const closed = [
    ...(shut.includes("receive") ? ports.smtp : []),
    ...(shut.includes("sign-in") ? ports.signIn : []),
  ].filter((port) => !ssh.includes(port));
  return `${nftEndIsolation()}table ${ISOLATION_TABLE} {
  counter refused { }
${set("allow4", "ipv4_addr", allow.filter(isV4))}${set(
  "allow6",
  "ipv6_addr",
  allow.filter((prefix) => !isV4(prefix)),
)}  chain refuse {
    limit rate 200/second counter name refused reject with tcp reset
    counter name refused drop
  }
  chain input {
    type filter hook input priority filter - 20; policy accept;
    iif lo accept
    ip saddr @allow4 accept
    ip6 saddr @allow6 accept
${closed.length === 0 ? "" : `    tcp dport { ${closed.join(", ")} } goto refuse\n    ${rest(open)}\n`}  }
${shut.includes("send") ? output(ports.relay) : ""}}
`;
}

/** Removes the table, if it is there. */
export function nftEndIsolation(): string {
  return `add table ${ISOLATION_TABLE}\ndelete table ${ISOLATION_TABLE}\n`;
}

/** New connections to whatever else listens here. Open ones stay: a session of SSH, and connections that this server opened. */
function rest(open: readonly number[]): string {
  const but = open.length === 0 ? "" : `tcp dport != { ${open.join(", ")} } `;
  return `${but}tcp flags & (syn | ack) == syn goto refuse`;
}

/** Mail that is on its way at this moment stays here too, and so does what other programs send. Alerts of the guard may leave. */
function output(relay: number | null): string {
  const toRelay =
    relay === null ? "" : `    meta skuid postfix tcp dport ${relay} counter name refused reject with tcp reset\n`;
  return `  chain output {
    type filter hook output priority filter - 20; policy accept;
    oif lo accept
    tcp dport 25 counter name refused reject with tcp reset
${toRelay}  }
`;
}

function set(name: string, type: string, prefixes: readonly Prefix[]): string {
  const elements = prefixes.length === 0 ? "" : ` elements = { ${prefixes.join(", ")} }`;
  return `  set ${name} { type ${type}; flags interval; auto-merge;${elements} }\n`;
}
