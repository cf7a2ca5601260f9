import { readFileSync } from "node:fs";
import { MOST_SS_BYTES, runTool, TOOL_PATH } from "../../adapters/nft/tools.ts";
import { hostPrefix, type Prefix, parseIp } from "../../core/net/ip.ts";
import { connectionsIn } from "../../wire/kernel/ss-doors.ts";

const SS_MS = 10_000;
const MOST_ANCESTORS = 100;

/** Established TCP connections to other ports than these, as sshd writes `SSH_CONNECTION`. Null if not all of them can be listed. */
export async function openConnections(except: readonly number[], path = TOOL_PATH): Promise<readonly string[] | null> {
  const run = { path, timeoutMs: SS_MS, mostOutputBytes: MOST_SS_BYTES };
  const listed = await runTool("ss", ["-H", "-n", "-t", "state", "established"], run);
  if (listed.code !== 0) return null;
  return connectionsIn(listed.stdout).filter((one) => !except.includes(Number(one.split(" ")[3])));
}

/**
 * The SSH connection through which this command came; null if there is none. sudo(8) removes the variable, so the
 * parent processes are read too (proc(5), environ).
 */
export function callerConnection(env: NodeJS.ProcessEnv, parent: number = process.ppid): string | null {
  const own = env["SSH_CONNECTION"] ?? "";
  if (own !== "") return without(own);
  for (let [pid, left] = [parent, MOST_ANCESTORS]; pid > 1 && left > 0; left -= 1) {
    const found = connectionOf(pid);
    if (found !== null) return without(found);
    pid = parentOf(pid);
  }
  return null;
}

/** The address of the other end of such a connection. */
export function peerOf(connection: string | null): Prefix | null {
  const ip = parseIp(connection?.split(" ")[0] ?? "");
  return ip === null ? null : hostPrefix(ip);
}

/** The port at which SSH accepted such a connection. */
export function ownPortOf(connection: string | null): number | null {
  const port = Number(connection?.split(" ")[3]);
  return port > 0 && port < 65_536 ? port : null;
}

/** Without the zone of a link-local address, which ss writes in a different place. */
function without(connection: string): string {
  return connection.replaceAll(/%\S+/g, "");
}

function connectionOf(pid: number): string | null {
  const prefix = "SSH_CONNECTION=";
  const found = read(`/proc/${pid}/environ`)
    .split("\0")
    .find((one) => one.startsWith(prefix));
  return found === undefined ? null : found.slice(prefix.length);
}

/** 0 once it has ended. */
function parentOf(pid: number): number {
  return Number(/^PPid:\s*(\d+)$/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0);
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
