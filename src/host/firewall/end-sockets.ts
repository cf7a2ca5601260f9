import type { Outcome } from "../../guard/ports.ts";
import { NOT_INSTALLED } from "../machine/run-program.ts";
import { runTool } from "./run-nft.ts";

const TIMEOUT_MS = 5_000;
/** ss sends a filter of at most 64 KB; an IPv6 address with its ports takes 48 bytes. */
const AT_ONCE = 1_000;
const UNABLE = "This kernel cannot end open sessions (INET_DIAG_DESTROY).";

export function createSocketEnder(path?: string) {
  /** Whether the kernel is known to end sockets. If it cannot, ss reports nothing; one ended socket proves that it can. */
  let proven = false;

  /** Ends the sockets that meet `all` and any of the conditions. */
  async function end(conditions: readonly (readonly string[])[], all: readonly string[] = []): Promise<Outcome> {
    for (let i = 0; i < conditions.length; i += AT_ONCE) {
      const filter = conditions.slice(i, i + AT_ONCE).flatMap((words) => ["or", ...words]);
      const ended = await endMatching([...all, "(", ...filter.slice(1), ")"]);
      if (!ended.ok) return ended;
    }
    return { ok: true };
  }

  /** Passes each word of the filter as a separate argument, because ss reads lines of at most 1,024 characters. */
  async function endMatching(filter: readonly string[]): Promise<Outcome> {
    const killed = await ss(["-K", ...filter]);
    if (killed.code !== 0 || killed.stderr.trim() !== "") return { ok: false, reason: reasonOf(killed.stderr) };
    proven ||= killed.stdout.trim() !== "";
    if (!proven && (await ss(filter)).stdout.trim() !== "") return { ok: false, reason: UNABLE };
    return { ok: true };
  }

  function ss(args: readonly string[]) {
    return runTool("ss", ["-H", "-n", "-t", ...args], { path, timeoutMs: TIMEOUT_MS });
  }

  return end;
}

function reasonOf(errors: string): string {
  if (errors === NOT_INSTALLED) return "The program `ss` is not installed (Debian package iproute2).";
  if (errors.includes("Operation not permitted")) return "The guard lacks CAP_NET_ADMIN, so it cannot end sessions.";
  return `ss failed: ${errors.trim().split("\n", 1)[0] ?? ""}`;
}
