import { Resolver } from "node:dns/promises";
import type { ProbeResult } from "../../core/alerts/probe-record.ts";
import { codeOf } from "../../core/error.ts";

/** Unbound answers it itself, without asking anyone (RFC 6303 section 3). */
const BUILT_IN = "1.0.0.127.in-addr.arpa";
/** Codes of c-ares: no answer in time, and nothing listens on the port. */
const SILENT = "ETIMEOUT";
const REFUSED = "ECONNREFUSED";

/** Whether a resolver answers anything at all. `server` as `127.0.0.1` or `127.0.0.1:5353`. Never throws. */
export async function probeResolver(server: string, timeoutMs: number): Promise<ProbeResult> {
  const resolver = new Resolver({ timeout: timeoutMs, tries: 1 });
  resolver.setServers([server]);
  try {
    await resolver.resolvePtr(BUILT_IN);
    return { ok: true };
  } catch (error) {
    const code = codeOf(error);
    if (code === SILENT) return { ok: false, hangs: true, says: `gave no answer within ${timeoutMs / 1_000} s` };
    if (code === REFUSED) return { ok: false, hangs: false, says: `cannot be reached (${code})` };
    // A missing name is an answer too.
    return { ok: true };
  }
}
