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
  let session: RelpSession | null = null;
  const close = (): void => {
    session?.close();
    session = null;
  };
  const send = async (messages: readonly string[]): Promise<void> => {
    if (session?.isOpen !== true) session = await RelpSession.open(connect(optionsOf(server)), timeoutMs);
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

/** One connection of RELP. After an error it is closed; unanswered messages may or may not have arrived. */
export class RelpSession {
  readonly #socket: TLSSocket;
  readonly #timeoutMs: number;
  readonly #reader = new RelpReader();
  readonly #unanswered = new Set<number>();
  #number = 0;
  #sending: Sending | null = null;
  #error: Error | null = null;

  private constructor(socket: TLSSocket, timeoutMs: number) {
    this.#socket = socket;
    this.#timeoutMs = timeoutMs;
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
    socket.on("error", (error) => this.#fail(error));
    socket.on("close", () => this.#fail(new Error("the receiver closed the connection")));
    socket.on("timeout", () => {
      if (this.#sending !== null) this.#fail(new Error(`no answer within ${timeoutMs / SECOND_MS} s`));
    });
  }

  /** Takes over a connecting socket. Rejects if no session can be opened. */
  static async open(socket: TLSSocket, timeoutMs: number): Promise<RelpSession> {
    const timer = setTimeout(
      () => socket.destroy(new Error(`no connection within ${timeoutMs / SECOND_MS} s`)),
      timeoutMs,
    );
    try {
      await once(socket, "secureConnect");
    } finally {
      clearTimeout(timer);
    }
    const session = new RelpSession(socket, timeoutMs);
    await session.#exchange([{ command: "open", data: RELP_OFFER }]);
    return session;
  }

  get isOpen(): boolean {
    return this.#error === null;
  }

  /** Resolves once the receiver has taken every message. */
  send(messages: readonly string[]): Promise<void> {
    return this.#exchange(messages.map((data) => ({ command: "syslog", data })));
  }

  close(): void {
    this.#error ??= new Error("closed");
    this.#number = nextRelpNumber(this.#number);
    this.#socket.end(relpFrame({ number: this.#number, command: "close", data: "" }));
    this.#socket.setTimeout(SECOND_MS, () => this.#socket.destroy());
  }

  #exchange(requests: readonly Omit<RelpFrame, "number">[]): Promise<void> {
    if (this.#error !== null) return Promise.reject(this.#error);
    return new Promise((resolve, reject) => {
      this.#sending = { resolve, reject };
      this.#socket.setTimeout(this.#timeoutMs);
      const frames = requests.map((request) => {
        this.#number = nextRelpNumber(this.#number);
        this.#unanswered.add(this.#number);
        return relpFrame({ number: this.#number, ...request });
      });
      this.#socket.write(frames.join(""));
    });
  }

  #read(chunk: Buffer): void {
    // Data after close() must not delay the end of the connection.
    if (!this.isOpen) return;
    const frames = this.#reader.push(chunk);
    if (frames === null) return this.#fail(new Error("the receiver does not speak RELP"));
    for (const frame of frames) {
      if (frame.command === "serverclose") return this.#fail(new Error("the receiver ends the session"));
      if (!isTaken(frame)) return this.#fail(new Error(`the receiver refuses: ${frame.data}`));
      this.#unanswered.delete(frame.number);
    }
    if (this.#unanswered.size > 0) return;
    this.#socket.setTimeout(0);
    this.#sending?.resolve();
    this.#sending = null;
  }

  #fail(error: Error): void {
    this.#error ??= error;
    this.#sending?.reject(error);
    this.#sending = null;
    this.#socket.destroy();
  }
}
