/** One of our TCP ports on loopback, and the users whose programs may connect to it. Root always may. */
export type LocalPort = Readonly<{
  /** The set that holds these users. A rule uses it, so its absence is noticed. */
  set: "askers" | "sieve_senders";
  port: number;
  users: readonly number[];
  /**
   * Who answers there. While none of our programs listens, another user could, and its answers would count. The kernel drops
   * even the answer to a SYN, so no connection opens. Null: not checked.
   */
  server: number | null;
}>;

export function localSets(local: readonly LocalPort[]): readonly string[] {
  return local.map(({ set }) => set);
}

/**
 * Decided where a connection leaves its program, because only there the user is known. Others are refused as by a
 * closed port.
 */
export function localText(local: readonly LocalPort[]): string {
  if (local.length === 0) return "";
  const sets = local.map(
    ({ set, users }) => `  set ${set} { type uid; elements = { ${[...new Set([0, ...users])].join(", ")} } }\n`,
  );
  const rules = local.flatMap(({ set, port, server }) => [
    `    oif lo tcp dport ${port} meta skuid != @${set} reject with tcp reset\n`,
    ...(server === null ? [] : [`    oif lo tcp sport ${port} meta skuid != ${server} drop\n`]),
  ]);
  return `${sets.join("")}  chain local {
    type filter hook output priority filter - 10; policy accept;
${rules.join("")}  }
`;
}
