import type { Socket } from "node:net";
import { CONTROL_LINE_BYTES, Framer } from "../admin/declare/framing.ts";
import { type KeeperCommand, type KeeperReply, parseKeeperCommand } from "../admin/declare/keeper.ts";
import { messageOf } from "../core/error.ts";
import { type Report, UnixServer } from "../host/sockets/unix-socket.ts";

const MOST_CONNECTIONS = 16;
/** Maximum waiting commands of one connection. */
const MOST_WAITING = 32;

type Obey = (command: KeeperCommand) => Promise<KeeperReply>;

/**
 * The keeper's socket: one JSON object per line, answered in order. Every user who may open the socket may send
 * commands.
 */
export function createKeeperServer(obey: Obey, report: Report) {
  const server = new UnixServer((socket) => serve(socket, obey, report), MOST_CONNECTIONS, report);
  return {
    start: (path: string): Promise<void> => server.start(path, 0o600),
    stop: (graceMs: number): Promise<void> => server.close(graceMs),
  };
}

function serve(socket: Socket, obey: Obey, report: Report): undefined {
  const framer = new Framer(CONTROL_LINE_BYTES);
  let waiting = 0;
  let turn: Promise<void> = Promise.resolve();
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk: Buffer) => {
    const bounded = framer.push(chunk, (line) => {
      waiting += 1;
      turn = turn.then(async () => {
        const reply = await answer(line, obey, report);
        waiting -= 1;
        if (!socket.destroyed) socket.write(`${JSON.stringify(reply)}\n`);
      });
    });
    if (bounded && waiting <= MOST_WAITING) return;
    report("control_line_malformed", "keeper.sock");
    socket.destroy();
  });
}

async function answer(line: string, obey: Obey, report: Report): Promise<KeeperReply> {
  const command = parseKeeperCommand(line);
  if (command === null) return { ok: false, reason: "Unknown keeper command." };
  try {
    return await obey(command);
  } catch (error) {
    report("internal_error", messageOf(error));
    return { ok: false, reason: `The keeper could not do it: ${messageOf(error)}`, mayBeDone: true };
  }
}
