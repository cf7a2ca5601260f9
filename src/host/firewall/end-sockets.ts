import type { Outcome } from "../../guard/ports.ts";
import { isMissing, runTool } from "./run-nft.ts";

const TIMEOUT_MS = 5_000;
const UNABLE = "This kernel cannot end open sessions (INET_DIAG_DESTROY).";

/** Ends TCP sockets by ss(8). */
export class SocketEnder {
  readonly #path: string | undefined;
  /** ss reports nothing if the kernel cannot end sockets. One ended socket proves that it can. */
  #proven = false;

  constructor(path?: string) {
    this.#path = path;
  }

  /** Ends the sockets that meet any of these conditions. `atOnce`: the maximum number of conditions in one filter. */
  async end(conditions: readonly (readonly string[])[], atOnce: number): Promise<Outcome> {
    for (let i = 0; i < conditions.length; i += atOnce) {
      const filter = conditions.slice(i, i + atOnce).flatMap((words) => ["or", ...words]);
      const ended = await this.#end(filter.slice(1));
      if (!ended.ok) return ended;
    }
    return { ok: true };
  }

  /** Each word of the filter is its own argument, because ss reads lines of at most 1,024 characters. */
  async #end(filter: readonly string[]): Promise<Outcome> {
    const killed = await this.#ss(["-K", ...filter]);
    if (killed.code !== 0 || killed.stderr.trim() !== "") return { ok: false, reason: reasonOf(killed.stderr) };
    this.#proven ||= killed.stdout.trim() !== "";
    if (!this.#proven && (await this.#ss(filter)).stdout.trim() !== "") return { ok: false, reason: UNABLE };
    return { ok: true };
  }

  #ss(args: readonly string[]) {
    return runTool("ss", ["-H", "-n", "-t", ...args], { path: this.#path, timeoutMs: TIMEOUT_MS });
  }
}

function reasonOf(errors: string): string {
  if (isMissing(errors)) return "The program `ss` is not installed (Debian package iproute2).";
  if (errors.includes("Operation not permitted")) return "The guard lacks CAP_NET_ADMIN, so it cannot end sessions.";
  return `ss failed: ${errors.trim().split("\n", 1)[0] ?? ""}`;
}
