/** A TCP port of ours on loopback, and the users whose programs connect to it. Root may anyway. */
export type LocalDoor = Readonly<{ port: number; users: readonly number[] }>;

/** Holds who may; a rule uses it, so that its absence is noticed. */
const SET = "askers";

export function localSets(door: LocalDoor | null): readonly string[] {
  return door === null ? [] : [SET];
}

/** Judged where a connection leaves its program, which is known there alone; the others are refused as by a closed port. */
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
