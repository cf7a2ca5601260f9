/** One of our TCP ports on loopback, and the users whose programs may connect to it. Root always may. */
export type LocalDoor = Readonly<{ port: number; users: readonly number[] }>;

/** Holds the allowed users. A rule uses it, so its absence is noticed. */
const SET = "askers";

export function localSets(door: LocalDoor | null): readonly string[] {
  return door === null ? [] : [SET];
}

/**
 * Decided where a connection leaves its program, because only there the user is known. Others are refused as by a
 * closed port.
 */
export function localText(door: LocalDoor | null): string {
  if (door === null) return "";
  const users = [...new Set([0, ...door.users])].join(", ");
  return `  set ${SET} { type uid; elements = { ${users} } }
  chain local {
    type filter hook output priority filter - 10; policy accept;
    oif lo tcp dport ${door.port} meta skuid != @${SET} reject with tcp reset
  }
`;
}
