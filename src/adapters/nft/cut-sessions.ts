import { isV4, type Prefix } from "../../core/ip.ts";
import { isMissing, runTool } from "./tools.ts";

/** The kernel takes a filter of at most 64 KB; an IPv6 network needs about 30 bytes. */
const PREFIXES_PER_FILTER = 1_000;
const TIMEOUT_MS = 5_000;

/** Ends every TCP session with these networks (ss(8), SOCK_DESTROY). Null when it is done, else why it is not. */
export async function cutSessions(prefixes: readonly Prefix[], path: string): Promise<string | null> {
  for (let i = 0; i < prefixes.length; i += PREFIXES_PER_FILTER) {
    const filter = prefixes
      .slice(i, i + PREFIXES_PER_FILTER)
      .flatMap(filterTerm)
      .slice(1);
    const killed = await runTool("ss", ["-K", "-H", "-n", "-t", ...filter], { path, timeoutMs: TIMEOUT_MS });
    if (isMissing(killed)) return "The program `ss` is not installed (Debian package iproute2).";
    if (killed.code !== 0 || killed.stderr.trim() !== "") return `ss failed: ${firstLine(killed.stderr)}`;
    // A kernel that cannot end sessions is passed over in silence, and so is a lack of privilege.
    const left = await runTool("ss", ["-H", "-n", "-t", ...filter], { path, timeoutMs: TIMEOUT_MS });
    if (left.stdout.trim() !== "")
      return "Open sessions could not be ended (no CAP_NET_ADMIN, or a kernel without INET_DIAG_DESTROY); their next packet is refused.";
  }
  return null;
}

/** Each word an argument of its own: ss reads no longer lines than 1,024 characters. */
function filterTerm(prefix: Prefix): readonly string[] {
  return ["or", "dst", isV4(prefix) ? prefix : `[${prefix}]`];
}

function firstLine(text: string): string {
  return text.trim().split("\n", 1)[0] ?? "";
}
