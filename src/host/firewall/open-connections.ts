import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Passed } from "../../core/firewall/blocked-ports.ts";
import type { Connection, ConnectionOrders } from "../../core/firewall/connection-shares.ts";
import { isV4 } from "../../core/net/ip.ts";
import type { Outcome } from "../../guard/ports.ts";
import { parseConnections, parseSilences, parseSocketsInUse } from "../kernel/tcp-sockets.ts";
import { nftConnections, nftTakePassed, parsePassed } from "./connection-rules.ts";
import { createSocketEnder } from "./end-sockets.ts";
import { TABLE } from "./guard-table.ts";
import { causeOf, runTool } from "./run-nft.ts";

/** Enough for 50,000 sockets. Further ones are not counted. */
const MOST_BYTES = 8 * 1024 * 1024;
const CHUNK_BYTES = 64 * 1024;
const TIMEOUT_MS = 5_000;

type KernelConnectionsOptions = Readonly<{
  /** Where to find `nft` and `ss`. */
  path?: string;
  /** Whether the server speaks first on this port. */
  greets?: (port: number) => boolean;
  /** `/proc/PID/net` of a process in the network to read. */
  proc?: string;
}>;

/** Connections in this machine's network, from proc(5), ss(8) and nft(8). */
export function createKernelConnections({
  path,
  greets = () => false,
  proc = "/proc/self/net",
}: KernelConnectionsOptions = {}) {
  const endSockets = createSocketEnder(path);
  /** One buffer for all reads, which run one after another. A new one each second would create garbage. */
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);

  async function connections(ports: readonly number[]): Promise<readonly Connection[]> {
    const wanted = new Set(ports);
    const four = parseConnections(await read("tcp"), wanted);
    return [...four, ...parseConnections(await read("tcp6"), wanted)];
  }

  async function sockets(): Promise<number | null> {
    const [four = "", six = ""] = await Promise.all(
      ["sockstat", "sockstat6"].map((name) => readFile(join(proc, name), "latin1").catch(() => "")),
    );
    return parseSocketsInUse(four, six);
  }

  /** Empty if the file does not exist, for example without IPv6. */
  async function read(name: "tcp" | "tcp6"): Promise<string> {
    const file = await open(join(proc, name), "r").catch(() => null);
    if (file === null) return "";
    let text = "";
    try {
      while (text.length < MOST_BYTES) {
        const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES, null);
        if (bytesRead === 0) break;
        text += chunk.toString("latin1", 0, bytesRead);
      }
    } finally {
      await file.close();
    }
    return text;
  }

  async function silences(ports: readonly number[]): Promise<ReadonlyMap<string, number>> {
    const filter = ports.flatMap((port) => ["or", "sport", "=", `:${port}`]).slice(1);
    const argv = ["-H", "-n", "-t", "-i", "-O", "state", "established", "(", ...filter, ")"];
    const ran = await runTool("ss", argv, { path, timeoutMs: TIMEOUT_MS });
    return parseSilences(ran.stdout, greets);
  }

  async function sendOrders(orders: ConnectionOrders, timeoutS: number): Promise<Outcome> {
    const ran = await nft(nftConnections(TABLE, orders, timeoutS));
    if (ran.code === 0 && ran.stderr.trim() === "") return { ok: true };
    return { ok: false, reason: `nft: ${causeOf(ran.stderr)}` };
  }

  /** How far connections to these ports got since the last call. Rejects if that is unknown. */
  async function passed(ports: readonly number[]): Promise<ReadonlyMap<number, Passed>> {
    const ran = await nft(nftTakePassed(TABLE, ports));
    if (ran.code !== 0) throw new Error(`nft: ${causeOf(ran.stderr)}`);
    return parsePassed(ran.stdout, ports);
  }

  function nft(input: string) {
    return runTool("nft", ["-f", "-"], { path, input, timeoutMs: TIMEOUT_MS });
  }

  const end = (connections: readonly Connection[]): Promise<Outcome> => endSockets(connections.map(conditionFor));

  return { connections, sockets, silences, sendOrders, passed, end };
}

function conditionFor({ ip, clientPort, port }: Connection): readonly string[] {
  const remote = isV4(ip) ? `${ip}:${clientPort}` : `[${ip}]:${clientPort}`;
  return ["(", "dst", remote, "and", "sport", "=", `:${port}`, ")"];
}
