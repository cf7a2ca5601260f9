import { isV4, type Prefix } from "../../core/net/ip.ts";
import type { Outcome } from "../../guard/ports.ts";
import { isMissing, runTool } from "./run-nft.ts";

const TIMEOUT_MS = 5_000;
const UNABLE = "This kernel cannot end open sessions (INET_DIAG_DESTROY).";

/** Ends TCP sockets by ss(8). */
export class SocketEnder {
  readonly #path: string;
  /** ss reports nothing if the kernel cannot end sockets. One ended socket proves that it can. */
  #proven = false;

  constructor(path: string) {
    this.#path = path;
  }

  /** Each word of the filter is its own argument, because ss reads lines of at most 1,024 characters. */
  async end(filter: readonly string[]): Promise<Outcome> {
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

/** The kernel takes a filter of at most 64 KB; an IPv6 network needs about 30 bytes. */
const PREFIXES_PER_FILTER = 1_000;

/** Ends TCP sessions on any port. If that is impossible, the firewall still drops their next packet. */
export class SocketCutter {
  readonly #ender: SocketEnder;

  constructor(path: string) {
    this.#ender = new SocketEnder(path);
  }

  async cut(prefixes: readonly Prefix[]): Promise<Outcome> {
    for (let i = 0; i < prefixes.length; i += PREFIXES_PER_FILTER) {
      const filter = prefixes
        .slice(i, i + PREFIXES_PER_FILTER)
        .flatMap(filterTerm)
        .slice(1);
      const ended = await this.#ender.end(filter);
      if (!ended.ok) return ended;
    }
    return { ok: true };
  }
}

function filterTerm(prefix: Prefix): readonly string[] {
  return ["or", "dst", isV4(prefix) ? prefix : `[${prefix}]`];
}
