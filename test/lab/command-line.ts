import type { Ran } from "./commands.ts";

/**
 * Commands that use only the server's sockets, databases and files, which are the same outside the server's host. Commands that
 * start, stop or check the server, or look at its network, don't belong here.
 */
const ASK_ONLY_THE_SERVER = [
  /^(access|account|alerts|alias|allow|audit|ban|bans|events|greylist|logs|queue|replay|retention|session|stats|status|token|unban|why) /,
  /^(fail2ban status|incident (assess|close|note|open|report|sent|tell|verify)) /,
  // Only with a strict firewall does `config apply` look at the network.
  /^(backup (key|list|verify)|config (apply|set|unset|show|simulate)|encryption|spam allow) /,
];

export function asksOnlyTheServer(argv: readonly string[]): boolean {
  const words = `${argv.join(" ")} `;
  return ASK_ONLY_THE_SERVER.some((pattern) => pattern.test(words)) && !argv.includes("--follow");
}

/** Runs a command in this process: a Node process costs ten times as much as most commands. */
export async function commandHere(argv: readonly string[], env: NodeJS.ProcessEnv, input = ""): Promise<Ran> {
  const [{ connect }, { script }] = await Promise.all([
    import("../../src/programs/command-line/connect.ts"),
    import("../kit/script-world.ts"),
  ]);
  const { code, out, err } = await script(argv, { env, now: Date.now, connect, input });
  return { code, stdout: out, stderr: err };
}
