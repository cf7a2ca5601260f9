import { once } from "node:events";
import { mkdirSync } from "node:fs";
import type { Server, Socket } from "node:net";
import { dirname } from "node:path";
import { after } from "node:test";

/** Listens on a free port of this address and returns the port. Closes with its connections when the calling test, suite or file ends. */
export async function listenOnPort(server: Server, host = "127.0.0.1"): Promise<number> {
  await listening(server.listen(0, host));
  const address = server.address();
  if (typeof address === "object" && address !== null) return address.port;
  throw new Error("the server listens on no port");
}

/** The same on a unix socket, whose directory it makes. */
export async function listenOnSocket(server: Server, path: string): Promise<void> {
  mkdirSync(dirname(path), { recursive: true });
  await listening(server.listen(path));
}

async function listening(server: Server): Promise<void> {
  const open: Socket[] = [];
  server.on("connection", (socket) => open.push(socket));
  after(() => {
    server.close();
    for (const socket of open) socket.destroy();
  });
  await once(server, "listening");
}
