/** One of our TCP ports on loopback, and the users whose programs may connect to it. Root always may. */
export type LocalPort = Readonly<{ port: number; users: readonly number[] }>;

/** Holds the allowed users. A rule uses it, so its absence is noticed. */
const SET = "askers";

export function localSets(local: LocalPort | null): readonly string[] {
  return local === null ? [] : [SET];
}

/**
 * Decided where a connection leaves its program, because only there the user is known. Others are refused as by a
 * closed port.
 */
export function localText(local: LocalPort | null): string {
  if (local === null) return "";
  const users = [...new Set([0, ...local.users])].join(", ");
  return `  set ${SET} { type uid; elements = { ${users} } }
  chain local {
    type filter hook output priority filter - 10; policy accept;
    oif lo tcp dport ${local.port} meta skuid != @${SET} reject with tcp reset
  }
`;
}
