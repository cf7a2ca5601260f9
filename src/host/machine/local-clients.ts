import { readFile } from "node:fs/promises";
import { contains, type Ip } from "../../core/net/ip.ts";
import type { OwnNetworks } from "../../guard/network-ports.ts";
import { clientUser, type LocalConnection, TCP_TABLES } from "../kernel/tcp-sockets.ts";

/** Identifies clients on this machine. The kernel knows their users, so no program can pretend to be another user's. */
export function createLocalClients(own: OwnNetworks, read = readTables) {
  const tables = sharingNextRead(read);
  return {
    isHere: (ip: Ip): boolean => own.current().some(({ prefix, why }) => why !== "gateway" && contains(prefix, ip)),
    userOf: async (connection: LocalConnection): Promise<string | null> => {
      const found = (await tables()).map((text) => clientUser(text, connection));
      const uid = found.find((one) => one !== null) ?? null;
      return uid === null ? null : nameOf(uid);
    },
  };
}

function readTables(): Promise<readonly string[]> {
  return Promise.all(TCP_TABLES.map((path) => readFile(path, "utf8").catch(() => "")));
}

/** Runs one read at a time. Waiting callers share the next, because a client may open hundreds of connections a second. */
function sharingNextRead<T>(read: () => Promise<T>): () => Promise<T> {
  let running: Promise<unknown> = Promise.resolve();
  let next: Promise<T> | null = null;
  return () => {
    next ??= running.then(() => {
      next = null;
      const started = read();
      running = started;
      return started;
    });
    return next;
  };
}

/** Reads the users each time, because a proxy may be installed while the server runs. */
async function nameOf(uid: number): Promise<string> {
  const users = await readFile("/etc/passwd", "utf8").catch(() => "");
  const line = users.split("\n").find((one) => one.split(":")[2] === String(uid));
  return line?.split(":")[0] ?? String(uid);
}
