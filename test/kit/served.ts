import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import type { ProbeResult } from "../../src/core/alerts/probe-record.ts";
import { listenOnPort, listenOnSocket } from "./local-server.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

type Serve = (socket: Socket) => void;

/** Starts a server on a unix socket that does this with each connection until the test ends; returns its path. */
export async function servedSocket(serve: Serve, path = join(temporaryDirectory(), "socket")): Promise<string> {
  await listenOnSocket(serverOf(serve), path);
  return path;
}

/** The same on a port of 127.0.0.1. */
export const servedPort = (serve: Serve): Promise<number> => listenOnPort(serverOf(serve));

/** Like a frozen program: the kernel accepts the connection, and nothing answers. */
export function silent(): void {}

/** Sends this to each connection, and nothing else. */
export const saying =
  (words: string): Serve =>
  (socket) =>
    socket.write(words, "latin1");

/** Sends this once it has received exactly that. */
export function answering(question: string, answer: string): Serve {
  return (socket) =>
    socket.on("data", (said) => {
      if (said.toString("latin1") === question) socket.write(answer, "latin1");
    });
}

/** What a probe finds about a part that does not work, and about one that gives no answer at all. */
export const failed = (says: string): ProbeResult => ({ ok: false, hangs: false, says });
export const hung = (says: string): ProbeResult => ({ ok: false, hangs: true, says });

function serverOf(serve: Serve) {
  return createServer((socket) => serve(socket.on("error", () => undefined)));
}
