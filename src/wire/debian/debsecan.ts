export type KnownHoles = Readonly<{
  /** Packages for whose holes a fixed version is there. */
  fixable: readonly Readonly<{ name: string; cves: readonly string[] }>[];
  /** How many holes have none yet. */
  unfixed: number;
}>;

/** What `debsecan --suite` prints (debsecan(1)), such as `CVE-2026-1234 libc6 (fixed, remotely exploitable, high urgency)`. */
export function readDebsecan(output: string): KnownHoles {
  const fixable = new Map<string, string[]>();
  const unfixed = new Set<string>();
  for (const line of output.split("\n")) {
    const [, hole, name, notes = ""] = /^(\S+) (\S+)(?: \((.*)\))?$/.exec(line) ?? [];
    if (hole === undefined || name === undefined) continue;
    if (!notes.split(", ").includes("fixed")) unfixed.add(hole);
    else fixable.set(name, [...(fixable.get(name) ?? []), hole]);
  }
  return { fixable: [...fixable].map(([name, cves]) => ({ name, cves })), unfixed: unfixed.size };
}
