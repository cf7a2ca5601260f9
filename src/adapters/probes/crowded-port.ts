import { readFileSync } from "node:fs";
import type { ProbeResult } from "../../core/alerts/probe-record.ts";

/** From this share of its places on, a port may be silent because it is full. */
const CROWDED = 2 / 3;
const TABLES = ["/proc/net/tcp", "/proc/net/tcp6"];
/** Established connections, and those that only the client has closed. */
const TAKEN = ["01", "08"];

/**
 * A full port is as silent as one that hangs, but its clients are being served: a restart would
 * cut them off, and strangers could cause it.
 */
export function unlessCrowded(result: ProbeResult, port: number, places: number): ProbeResult {
  if (result.ok || !result.hangs || openOn(port) < places * CROWDED) return result;
  return { ...result, hangs: false, says: `${result.says} while most of its places are taken` };
}

/** How many connections to a local TCP port take a place (proc(5), /proc/net/tcp). */
function openOn(port: number): number {
  const local = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const isOne = (line: string): boolean => {
    const [, from = "", , state = ""] = line.trim().split(/\s+/);
    return from.endsWith(local) && TAKEN.includes(state);
  };
  return TABLES.flatMap(linesOf).filter(isOne).length;
}

/** Without IPv6 the second table is missing. */
function linesOf(file: string): readonly string[] {
  try {
    return readFileSync(file, "utf8").split("\n");
  } catch {
    return [];
  }
}
