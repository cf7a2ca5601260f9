import { isV4, type Prefix } from "../../core/ip.ts";
import type { Outcome } from "../../engine/ports.ts";
import { isMissing, runTool } from "./tools.ts";

/** The kernel takes a filter of at most 64 KB; an IPv6 network needs about 30 bytes. */
const PREFIXES_PER_FILTER = 1_000;
const TIMEOUT_MS = 5_000;

/** Ends TCP sessions by ss(8), whatever their port. */
export class SessionCutter {
  readonly #path: string;
  /** ss says nothing when the kernel cannot end sessions; once one was ended, it can. */
  #proven = false;

  constructor(path: string) {
    this.#path = path;
  }

  async cut(prefixes: readonly Prefix[]): Promise<Outcome> {
    for (let i = 0; i < prefixes.length; i += PREFIXES_PER_FILTER) {
      const filter = prefixes
        .slice(i, i + PREFIXES_PER_FILTER)
        .flatMap(filterTerm)
        .slice(1);
      const killed = await this.#ss(["-K", ...filter]);
      if (killed.code !== 0 || killed.stderr.trim() !== "") return { ok: false, reason: reasonOf(killed.stderr) };
      this.#proven ||= killed.stdout.trim() !== "";
      if (!this.#proven && (await this.#ss(filter)).stdout.trim() !== "") return { ok: false, reason: UNABLE };
    }
    return { ok: true };
  }

  #ss(args: readonly string[]) {
    return runTool("ss", ["-H", "-n", "-t", ...args], { path: this.#path, timeoutMs: TIMEOUT_MS });
  }
}

const UNABLE = "This kernel cannot end open sessions (INET_DIAG_DESTROY); the firewall refuses their next packet.";

/** Each word an argument of its own: ss reads no longer lines than 1,024 characters. */
function filterTerm(prefix: Prefix): readonly string[] {
  return ["or", "dst", isV4(prefix) ? prefix : `[${prefix}]`];
}

function reasonOf(errors: string): string {
  if (isMissing(errors)) return "The program `ss` is not installed (Debian package iproute2).";
  if (errors.includes("Operation not permitted")) return "The guard lacks CAP_NET_ADMIN, so it cannot end sessions.";
  return `ss failed: ${errors.trim().split("\n", 1)[0] ?? ""}`;
}
