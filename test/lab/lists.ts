import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { ListManner } from "../kit/list-server.ts";
import { patience } from "../kit/patience.ts";
import { LISTS, type ListZone } from "./dns.ts";
import { namespaceOf } from "./network.ts";

/** A resolver that answers every question wrongly and remembers who asked. */
export const POISON = "203.0.113.66";

export type Lists = Awaited<ReturnType<typeof startLists>>;

/** The name servers of the lab's block lists, controlled by the test. */
export async function startLists() {
  const program = fileURLToPath(new URL("list-servers.ts", import.meta.url));
  const served = Object.entries(LISTS).map(([zone, address]) => `${address}=${zone}`);
  const argv = ["netns", "exec", namespaceOf("net"), process.execPath, program, POISON, ...served];
  const child = spawn("ip", argv, { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout });
  await once(lines, "line");

  const say = async (line: string): Promise<unknown> => {
    child.stdin.write(`${line}\n`);
    const signal = AbortSignal.timeout(patience(5_000));
    const answers: readonly unknown[] = await once(lines, "line", { signal });
    return JSON.parse(String(answers[0]));
  };
  return {
    become: (zone: ListZone, manner: ListManner, listed: Readonly<Record<string, string>> = {}): Promise<unknown> =>
      say(JSON.stringify({ zone, manner, listed })),

    /** The names that a list, or the poisonous resolver, was asked for. */
    asked: async (whom: ListZone | typeof POISON): Promise<readonly string[]> => {
      const answer = await say(`asked ${whom}`);
      if (!Array.isArray(answer)) throw new Error(`not a list: ${String(answer)}`);
      return answer.map(String);
    },

    stop: (): void => {
      child.kill("SIGKILL");
    },
  };
}
