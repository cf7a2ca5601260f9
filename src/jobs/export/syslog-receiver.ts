import { once } from "node:events";
import { isIP } from "node:net";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import { messageOf } from "../../core/error.ts";
import { printable } from "../../core/text.ts";
import { SECOND_MS } from "../../core/time.ts";
import type { Deliver } from "./exporter.ts";
import {
  isTaken,
  nextRelpNumber,
  octetCounted,
  RELP_OFFER,
  type RelpFrame,
  RelpReader,
  relpFrame,
  syslogMessage,
} from "./syslog.ts";

export type SyslogServer = Readonly<{
  host: string;
  port: number;
  /** Certificate authorities (PEM); undefined means Node's own. */
  authorities: string | undefined;
  /** Our client certificate; undefined: none. */
  identity: Readonly<{ cert: string; key: string }> | undefined;
  /** The name of this server in each message. */
  hostname: string;
  /** A connection without progress for this long is closed. */
  timeoutMs?: number;
}>;

const TIMEOUT_MS = 30 * SECOND_MS;
const SHOWN = 200;

/** RELP over TLS, with which the receiver confirms each event. Keeps one session for as long as it works. */
export function createRelpReceiver(server: SyslogServer) {
  const { timeoutMs = TIMEOUT_MS } = server;
  let session: Awaited<ReturnType<typeof openRelpSession>> | null = null;
  const close = (): void => {
    session?.close();
    session = null;
  };
  const send = async (messages: readonly string[]): Promise<void> => {
    if (session?.isOpen() !== true) session = await openRelpSession(connect(optionsOf(server)), timeoutMs);
    await session.send(messages);
  };
  return { deliver: delivering(server, send, close), close };
}

/**
 * Syslog over TLS (RFC 5425), which has no confirmations. Sends some events over a connection and closes it. They count as arrived once the
 * receiver, which reads in order, closes it too without an error.
 */
export function createTlsReceiver(server: SyslogServer) {
  const { timeoutMs = TIMEOUT_MS } = server;
  let session: Buffer | undefined;
  const send = (messages: readonly string[]): Promise<void> => {
    const socket = connect({ ...optionsOf(server), ...(session && { session }) });
    const exchange = new Promise<void>((resolve, reject) => {
      let isEnded = false;
      socket.once("secureConnect", () => socket.end(messages.map(octetCounted).join("")));
      socket.on("session", (given: Buffer) => (session = given));
      socket.setTimeout(timeoutMs, () => socket.destroy(new Error(noProgress(socket, timeoutMs))));
      socket.on("error", reject);
      socket.once("end", () => (isEnded = socket.writableFinished));
      socket.once("close", () =>
        isEnded ? resolve() : reject(new Error("the receiver closed the connection before it had everything")),
      );
      // Discards its data, to reach its end.
      socket.resume();
    });
    return exchange.finally(() => socket.destroy());
  };
  return { deliver: delivering(server, send, () => (session = undefined)) };
}

/** `send` rejects if a message may not have arrived; `drop` forgets the connection then. */
function delivering(
  { hostname }: SyslogServer,
  send: (messages: readonly string[]) => Promise<void>,
  drop: () => unknown,
): Deliver {
  return async (events) => {
    try {
      await send(events.map((event) => syslogMessage(event, hostname)));
      return { ok: true };
    } catch (error) {
      drop();
      return { ok: false, reason: printable(messageOf(error), SHOWN) };
    }
  };
}

function noProgress(socket: TLSSocket, timeoutMs: number): string {
  const seconds = timeoutMs / SECOND_MS;
  return socket.writableFinished
    ? `the receiver did not close the connection within ${seconds} s after we did`
    : `no progress within ${seconds} s`;
}

function optionsOf({ host, port, authorities, identity }: SyslogServer): ConnectionOptions {
  return {
    host,
    port,
    minVersion: "TLSv1.2",
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(authorities === undefined ? {} : { ca: authorities }),
    ...identity,
  };
}

type Sending = Readonly<{ resolve: () => void; reject: (error: Error) => void }>;

/**
 * Opens a session of RELP over a connecting socket. Rejects if that fails. After an error the session is closed; unanswered messages may or
 * may not have arrived.
 */
export async function openRelpSession(socket: TLSSocket, timeoutMs: number) {
  const reader = new RelpReader();
  const unanswered = new Set<number>();
  let lastNumber = 0;
  let sending: Sending | null = null;
  let failure: Error | null = null;

  function exchange(requests: readonly Omit<RelpFrame, "number">[]): Promise<void> {
    if (failure !== null) return Promise.reject(failure);
    return new Promise((resolve, reject) => {
      sending = { resolve, reject };
      socket.setTimeout(timeoutMs);
      const frames = requests.map((request) => {
        lastNumber = nextRelpNumber(lastNumber);
        unanswered.add(lastNumber);
        return relpFrame({ number: lastNumber, ...request });
      });
      socket.write(frames.join(""));
    });
  }

  function read(chunk: Buffer): void {
    // Data after close() must not delay the end of the connection.
    if (failure !== null) return;
    const frames = reader.push(chunk);
    if (frames === null) return fail(new Error("the receiver does not speak RELP"));
    for (const frame of frames) {
      if (frame.command === "serverclose") return fail(new Error("the receiver ends the session"));
      if (!isTaken(frame)) return fail(new Error(`the receiver refuses: ${frame.data}`));
      unanswered.delete(frame.number);
    }
    if (unanswered.size > 0) return;
    socket.setTimeout(0);
    sending?.resolve();
    sending = null;
  }

  function fail(error: Error): void {
    failure ??= error;
    sending?.reject(error);
    sending = null;
    socket.destroy();
  }

  const late = () => socket.destroy(new Error(`no connection within ${timeoutMs / SECOND_MS} s`));
  const timer = setTimeout(late, timeoutMs);
  try {
    await once(socket, "secureConnect");
  } finally {
    clearTimeout(timer);
  }
  socket.on("data", read);
  socket.on("error", fail);
  socket.on("close", () => fail(new Error("the receiver closed the connection")));
  socket.on("timeout", () => {
    if (sending !== null) fail(new Error(`no answer within ${timeoutMs / SECOND_MS} s`));
  });
  await exchange([{ command: "open", data: RELP_OFFER }]);
  return {
    isOpen: () => failure === null,
    /** Resolves once the receiver has taken every message. */
    send: (messages: readonly string[]) => exchange(messages.map((data) => ({ command: "syslog", data }))),
    close(): void {
      failure ??= new Error("closed");
      socket.end(relpFrame({ number: nextRelpNumber(lastNumber), command: "close", data: "" }));
      socket.setTimeout(SECOND_MS, () => socket.destroy());
    },
  };
}
