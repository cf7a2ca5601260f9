import assert from "node:assert/strict";
import manifest from "../../package.json" with { type: "json" };
import type { World } from "../../src/surfaces/cli/run.ts";
import type { Ran } from "./commands.ts";

/**
 * Commands that use only the server's sockets, databases and files, which are the same outside the server's host. Those
 * that start, stop or check the server, or look at its network, are not among them.
 */
const ASK_ONLY_THE_SERVER = [
  /^(access|account|alerts|alias|allow|audit|ban|bans|events|greylist|logs|queue|replay|retention|session|stats|status|token|unban|why) /,
  /^(fail2ban status|incident (assess|close|note|open|report|sent|tell|verify)) /,
  // With a strict firewall, `config apply` does read it.
  /^(backup (key|list|verify)|config (apply|set|unset|show|simulate)|encryption|spam allow) /,
];
const WAITS = "--follow";

export function asksOnlyTheServer(argv: readonly string[]): boolean {
  const words = `${argv.join(" ")} `;
  return ASK_ONLY_THE_SERVER.some((pattern) => pattern.test(words)) && !argv.includes(WAITS);
}

/** Runs a command in this process: a Node process costs ten times as much as most commands. */
export async function commandHere(argv: readonly string[], env: NodeJS.ProcessEnv, input = ""): Promise<Ran> {
  let [stdout, stderr] = ["", ""];
  const terminal: World["terminal"] = {
    interactive: false,
    width: null,
    out: (text) => (stdout += lines(text)),
    outForGood: (text) => {
      stdout += lines(text);
      return Promise.resolve({ ok: true });
    },
    err: (text) => (stderr += lines(text)),
    progress: () => undefined,
    readLine: (mostBytes) => Promise.resolve(firstLine(input, mostBytes)),
    ask: () => assert.fail("no question is expected"),
    askSecret: () => assert.fail("no question is expected"),
    interrupted: new AbortController().signal,
  };
  const [{ connect }, { run }] = await Promise.all([
    import("../../src/programs/command-line/connect.ts"),
    import("../../src/surfaces/cli/run.ts"),
  ]);
  const code = await run(argv, { terminal, env, version: manifest.version, now: Date.now, connect });
  return { code, stdout, stderr };
}

// The rest is as in src/surfaces/cli/process-terminal.ts.

function firstLine(input: string, mostBytes: number): string | null {
  const line = (input.split("\n", 1)[0] ?? "").replace(/\r$/, "");
  return line === "" || line.length > mostBytes ? null : line;
}

function lines(text: string): string {
  return text.endsWith("\n") ? text : `${text}\n`;
}
