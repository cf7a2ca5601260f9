import { outermost } from "../../core/firewall/plan-firewall.ts";
import { isV4, type Prefix } from "../../core/net/ip.ts";

/**
 * The ports whose clients give their address in a PROXY header. Postfix trusts every client, so the firewall accepts
 * none in but the proxies. Where a proxy runs on this machine, any local program has its address, so its user counts too.
 */
export type ProxyDoors = Readonly<{
  ports: readonly number[];
  networks: readonly Prefix[];
  /** Whose programs on this machine may connect. Root always may. */
  users: readonly number[];
}>;

/** Rules use them, so their absence is noticed. */
const SETS = ["proxied", "proxy4", "proxy6", "proxy_users"] as const;

export function proxiedSets(doors: ProxyDoors | null): readonly string[] {
  return doors === null ? [] : SETS;
}

/** `rule` must come first: neither loopback nor the allow list opens these ports. */
export function proxiedText(doors: ProxyDoors | null): Readonly<{ text: string; rule: string }> {
  if (doors === null) return { text: "", rule: "" };
  const set = (name: (typeof SETS)[number], type: string, elements: readonly (string | number)[]): string => {
    const filled = elements.length === 0 ? "" : ` elements = { ${elements.join(", ")} }`;
    return `  set ${name} { type ${type};${filled} }\n`;
  };
  const networks = outermost(doors.networks);
  return {
    text: `${set("proxied", "inet_service", doors.ports)}${set(
      "proxy4",
      "ipv4_addr; flags interval",
      networks.filter(isV4),
    )}${set(
      "proxy6",
      "ipv6_addr; flags interval",
      networks.filter((network) => !isV4(network)),
    )}${set("proxy_users", "uid", [...new Set([0, ...doors.users])])}  chain from_proxies {
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
