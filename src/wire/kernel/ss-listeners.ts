/** A listening TCP socket and the programs that hold it. `address` as ss prints it: `0.0.0.0`, `[::]`, `*`, `127.0.0.1`. */
export type Listener = Readonly<{ address: string; port: number; programs: readonly string[] }>;

/** What `ss -Htlnp` prints (ss(8)); programs only for those whose /proc may be read. */
export function parseListeners(text: string): readonly Listener[] {
  return text.split("\n").flatMap((line) => {
    const [state, , , local = "", , users = ""] = line.trim().split(/\s+/);
    const [, address = "", port = ""] = /^(.+):(\d+)$/.exec(local) ?? [];
    if (state !== "LISTEN" || port === "") return [];
    const programs = [...users.matchAll(/\("([^"]*)"/g)].map(([, name = ""]) => name);
    return [{ address: address.replace(/%.*/, ""), port: Number(port), programs: [...new Set(programs)] }];
  });
}

export function isLoopback({ address }: Pick<Listener, "address">): boolean {
  return address.startsWith("127.") || address === "[::1]" || address.startsWith("[::ffff:127.");
}
