import { readFile } from "node:fs/promises";
import { contains, type Ip } from "../../core/net/ip.ts";
import type { OwnNetworks } from "../../guard/network-ports.ts";
import { clientUser, type LocalConnection, TCP_TABLES } from "../kernel/tcp-sockets.ts";

/** Clients on this machine. The kernel knows their users, so no program can pretend to be another user. */
export function createLocalClients(own: OwnNetworks, read = readTables) {
  const tables = shared(read);
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

/** One read at a time; those who wait for the next one share it. A client may open hundreds of connections a second, and each read lists all sockets. */
function shared<T>(read: () => Promise<T>): () => Promise<T> {
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

/** Read each time: a proxy may be installed while the server runs. */
async function nameOf(uid: number): Promise<string> {
  const users = await readFile("/etc/passwd", "utf8").catch(() => "");
  const line = users.split("\n").find((one) => one.split(":")[2] === String(uid));
  return line?.split(":")[0] ?? String(uid);
}
