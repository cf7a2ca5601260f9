import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface, type Interface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { ListManner } from "../kit/list-server.ts";
import { patience } from "../kit/patience.ts";
import { LISTS, type ListZone } from "./dns.ts";
import { namespaceOf } from "./network.ts";

/** A resolver that answers every question wrongly and remembers who asked. */
export const POISON = "203.0.113.66";

/** The name servers of the lab's block lists, controlled by the test. */
export class Lists {
  readonly #child: ChildProcess;
  readonly #lines: Interface;

  private constructor(child: ChildProcess, lines: Interface) {
    this.#child = child;
    this.#lines = lines;
  }

  static async start(): Promise<Lists> {
    const program = fileURLToPath(new URL("list-servers.ts", import.meta.url));
    const served = Object.entries(LISTS).map(([zone, address]) => `${address}=${zone}`);
    const argv = ["netns", "exec", namespaceOf("net"), process.execPath, program, POISON, ...served];
    const child = spawn("ip", argv, { stdio: ["pipe", "pipe", "inherit"] });
    const lines = createInterface({ input: child.stdout });
    await once(lines, "line");
    return new Lists(child, lines);
  }

  async become(zone: ListZone, manner: ListManner, listed: Readonly<Record<string, string>> = {}): Promise<void> {
    await this.#say(JSON.stringify({ zone, manner, listed }));
  }

  /** The names that a list, or the poisonous resolver, was asked for. */
  async asked(whom: ListZone | typeof POISON): Promise<readonly string[]> {
    const answer: unknown = JSON.parse(await this.#say(`asked ${whom}`));
    if (!Array.isArray(answer)) throw new Error(`not a list: ${String(answer)}`);
    return answer.map(String);
  }

  stop(): void {
    this.#child.kill("SIGKILL");
  }

  async #say(line: string): Promise<string> {
    this.#child.stdin?.write(`${line}\n`);
    const answer: readonly unknown[] = await once(this.#lines, "line", {
      signal: AbortSignal.timeout(patience(5_000)),
    });
    return String(answer[0]);
  }
}
