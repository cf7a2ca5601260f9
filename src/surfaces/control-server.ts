import type { Socket } from "node:net";
import { parseControlLine, printLine } from "../admin/declare/codec.ts";
import type { CommandError, ParsedLine, Reply } from "../admin/declare/control.ts";
import { CONTROL_LINE_BYTES, Framer } from "../admin/declare/framing.ts";
import type { Origin } from "../admin/declare/verb.ts";
import { messageOf } from "../core/error.ts";
import { printable } from "../core/text.ts";
import { type Report, UnixServer } from "../host/sockets/unix-socket.ts";

export const CONTROL_LIMITS = {
  maxConnections: 192,
  /** Maximum waiting commands of one connection. */
  maxPending: 64,
  /** How long a connection may be idle; a watcher may stay. */
  idleMs: 60_000,
  /** Minimum time between two notifications of a watcher. */
  watchMs: 100,
  /** Unread output at which a connection is dropped. */
  maxUnsentBytes: 32 * 1024 * 1024,
  stopMs: 2_000,
} as const;
export type ControlLimits = { readonly [K in keyof typeof CONTROL_LIMITS]: number };

export type ControlParts = Readonly<{
  origin: Origin;
  run: (line: ParsedLine, origin: Origin) => Promise<Reply>;
  /** Calls back after each commit until the returned function is called. */
  subscribe: (listener: (lastEventId: number) => void) => () => void;
  report: Report;
}>;

/** Takes commands as JSON lines over a unix socket and answers them in order. Each origin has its own server. */
export function createControlServer(parts: ControlParts, limits: ControlLimits = CONTROL_LIMITS) {
  const serve = (socket: Socket): Connection => new Connection(socket, parts, limits);
  const server = new UnixServer(serve, limits.maxConnections, parts.report);
  return {
    /** `mode` decides who may send commands: 0600 the guard's own user and root, 0660 its group too. */
    start: (path: string, mode: 0o600 | 0o660): Promise<void> => server.start(path, mode),
    /** Accepted commands are finished and answered. */
    stop: (): Promise<void> => server.close(limits.stopMs),
  };
}

class Connection {
  readonly #socket: Socket;
  readonly #parts: ControlParts;
  readonly #limits: ControlLimits;
  readonly #framer = new Framer(CONTROL_LINE_BYTES);
  readonly #lines: string[] = [];
  #running = false;
  #watching = false;
  #finishing = false;

  constructor(socket: Socket, parts: ControlParts, limits: ControlLimits) {
    this.#socket = socket;
    this.#parts = parts;
    this.#limits = limits;
    socket.setTimeout(limits.idleMs, () => {
      if (!this.#running) socket.destroy();
    });
    socket.on("error", () => socket.destroy());
    socket.on("data", (chunk: Buffer) => {
      if (!this.#framer.push(chunk, (line) => this.#lines.push(line)) || this.#lines.length > limits.maxPending) {
        this.#lines.length = 0;
        socket.destroy();
        parts.report("control_line_malformed", "line too long, or too many of them");
      } else if (!this.#running) void this.#work();
    });
  }

  finish(): void {
    this.#finishing = true;
    if (!this.#running) this.#socket.destroySoon();
  }

  /** One command after another; never rejects. Reads nothing until all are answered: lines that wait would fill the memory. */
  async #work(): Promise<void> {
    this.#running = true;
    this.#socket.pause();
    for (let line = this.#lines.shift(); line !== undefined; line = this.#lines.shift()) {
      const parsed = parseControlLine(line);
      if (!parsed.ok) this.#send(parsed.error);
      else if (parsed.value.command.verb === "watch") await this.#watch(parsed.value);
      else this.#send(await this.#run(parsed.value));
      await this.#whenRead();
    }
    this.#running = false;
    if (this.#finishing) this.#socket.destroySoon();
    else this.#socket.resume();
  }

  async #run(line: ParsedLine): Promise<Reply> {
    const { origin, run, report } = this.#parts;
    try {
      return await run(line, origin);
    } catch (error) {
      report("internal_error", `${line.command.verb}: ${printable(messageOf(error), 200)}`);
      return INTERNAL_ERROR;
    }
  }

  /**
   * Sends the newest event id now and after commits, coalesced: a listener that gets nothing has missed nothing. A client
   * that does not read gets no second one. A second watch, and one that fails, end the connection: clients expect only ids.
   */
  async #watch(line: ParsedLine): Promise<void> {
    // A client that has gone would never unsubscribe.
    if (this.#watching || this.#socket.destroyed) return void this.#socket.destroy();
    this.#watching = true;
    let latest = -1;
    let sent = -1;
    let isUnread = false;
    let timer: NodeJS.Timeout | undefined;
    const tell = (): void => {
      timer = undefined;
      if (latest <= sent || isUnread) return;
      sent = latest;
      isUnread = true;
      this.#send({ lastEventId: latest }, () => {
        isUnread = false;
        if (latest > sent) tellSoon();
      });
    };
    const tellSoon = (): void => {
      timer ??= setTimeout(tell, this.#limits.watchMs);
    };
    // Subscribed before the current event is read, so that none is missed in between.
    const unsubscribe = this.#parts.subscribe((lastEventId) => {
      latest = Math.max(latest, lastEventId);
      tellSoon();
    });
    this.#socket.once("close", () => {
      unsubscribe();
      clearTimeout(timer);
    });
    this.#socket.setTimeout(0);
    const reply = await this.#run(line);
    if (!reply.ok || !("lastEventId" in reply.result)) return void this.#socket.destroy();
    latest = Math.max(latest, reply.result.lastEventId);
    tell();
  }

  /** Waits until the client has read its answers. */
  #whenRead(): Promise<void> | undefined {
    if (this.#socket.destroyed || this.#socket.writableLength <= WAIT_ABOVE_BYTES) return undefined;
    return new Promise((resolve) => {
      const go = (): void => {
        this.#socket.off("drain", go).off("close", go);
        resolve();
      };
      this.#socket.once("drain", go).once("close", go);
    });
  }

  #send(line: Reply | Readonly<{ lastEventId: number }>, whenTaken?: () => void): void {
    if (this.#socket.destroyed) return;
    this.#socket.write(printLine(line), whenTaken);
    if (this.#socket.writableLength > this.#limits.maxUnsentBytes) this.#socket.destroy();
  }
}

const WAIT_ABOVE_BYTES = 64 * 1024;

const INTERNAL_ERROR: CommandError = {
  ok: false,
  kind: "failed",
  message: "The command failed because of a bug in the guard.",
  next: "See the guard's log.",
};
