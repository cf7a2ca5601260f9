import { isIP } from "node:net";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import { messageOf } from "../../core/error.ts";
import type { ShownEvent } from "../../core/events/columns.ts";
import { printable } from "../../core/text.ts";
import { SECOND_MS } from "../../core/time.ts";
import type { EventReceiver } from "../../engine/export/exporter.ts";
import type { Outcome } from "../../engine/ports.ts";
import { octetCounted, syslogMessage } from "../../wire/syslog/message.ts";
import { RelpSession } from "./relp-session.ts";

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

/** RELP over TLS: an event has arrived when the receiver says so. Keeps one session for as long as it works. */
export class RelpReceiver implements EventReceiver {
  readonly #server: SyslogServer;
  #session: RelpSession | null = null;

  constructor(server: SyslogServer) {
    this.#server = server;
  }

  async deliver(events: readonly ShownEvent[]): Promise<Outcome> {
    const { hostname, timeoutMs = TIMEOUT_MS } = this.#server;
    try {
      if (this.#session?.isOpen !== true)
        this.#session = await RelpSession.open(connect(optionsOf(this.#server)), timeoutMs);
      await this.#session.send(events.map((event) => syslogMessage(event, hostname)));
      return { ok: true };
    } catch (error) {
      this.close();
      return failure(error);
    }
  }

  close(): void {
    this.#session?.close();
    this.#session = null;
  }
}

/**
 * Syslog over TLS (RFC 5425), which has no answers. A connection carries some events and is closed by us; they count as
 * arrived when the other side, which reads in order, then closes it too without an error.
 */
export class TlsReceiver implements EventReceiver {
  readonly #server: SyslogServer;
  #resume: Buffer | undefined;

  constructor(server: SyslogServer) {
    this.#server = server;
  }

  async deliver(events: readonly ShownEvent[]): Promise<Outcome> {
    const { hostname } = this.#server;
    try {
      await this.#exchange(events.map((event) => octetCounted(syslogMessage(event, hostname))).join(""));
      return { ok: true };
    } catch (error) {
      this.#resume = undefined;
      return failure(error);
    }
  }

  #exchange(text: string): Promise<void> {
    const { timeoutMs = TIMEOUT_MS } = this.#server;
    const session = this.#resume === undefined ? {} : { session: this.#resume };
    const socket = connect({ ...optionsOf(this.#server), ...session });
    const exchange = new Promise<void>((resolve, reject) => {
      let isEnded = false;
      socket.once("secureConnect", () => socket.end(text));
      socket.on("session", (given: Buffer) => (this.#resume = given));
      socket.setTimeout(timeoutMs, () => socket.destroy(new Error(noProgress(socket, timeoutMs))));
      socket.on("error", reject);
      socket.once("end", () => (isEnded = socket.writableFinished));
      socket.once("close", () =>
        isEnded ? resolve() : reject(new Error("the receiver closed the connection before it had everything")),
      );
      // Its data does not matter, but its end does.
      socket.resume();
    });
    return exchange.finally(() => socket.destroy());
  }
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

function failure(error: unknown): Outcome {
  return { ok: false, reason: printable(messageOf(error), SHOWN) };
}
