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
  /** Calls the listener after each commit, until the returned function is called. */
  subscribe: (listener: (lastEventId: number) => void) => () => void;
  report: Report;
}>;

/** Takes commands as JSON lines over a unix socket and answers them in order. Each origin has its own server. */
export function createControlServer(parts: ControlParts, limits: ControlLimits = CONTROL_LIMITS) {
  const server = new UnixServer((socket) => serve(socket, parts, limits), limits.maxConnections, parts.report);
  return {
    /** `mode` decides who may send commands: with 0600 root and the guard's own user, with 0660 also its group. */
    start: (path: string, mode: 0o600 | 0o660): Promise<void> => server.start(path, mode),
    /** Finishes and answers accepted commands first. */
    stop: (): Promise<void> => server.close(limits.stopMs),
  };
}

function serve(socket: Socket, { origin, run, subscribe, report }: ControlParts, limits: ControlLimits) {
  const framer = new Framer(CONTROL_LINE_BYTES);
  const lines: string[] = [];
  let running = false;
  let watching = false;
  let finishing = false;
  socket.setTimeout(limits.idleMs, () => {
    if (!running) socket.destroy();
  });
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk: Buffer) => {
    if (!framer.push(chunk, (line) => lines.push(line)) || lines.length > limits.maxPending) {
      lines.length = 0;
      socket.destroy();
      report("control_line_malformed", "line too long, or too many lines");
    } else if (!running) void work();
  });

  function finish(): void {
    finishing = true;
    if (!running) socket.destroySoon();
  }

  /** Runs the commands one after another; never rejects. Reads nothing until all are answered, to bound the memory of waiting lines. */
  async function work(): Promise<void> {
    running = true;
    socket.pause();
    for (let line = lines.shift(); line !== undefined; line = lines.shift()) {
      const parsed = parseControlLine(line);
      if (!parsed.ok) send(parsed.error);
      else if (parsed.value.command.verb === "watch") await watch(parsed.value);
      else send(await answer(parsed.value));
      await whenRead(socket);
    }
    running = false;
    if (finishing) socket.destroySoon();
    else socket.resume();
  }

  async function answer(line: ParsedLine): Promise<Reply> {
    try {
      return await run(line, origin);
    } catch (error) {
      report("internal_error", `${line.command.verb}: ${printable(messageOf(error), 200)}`);
      return INTERNAL_ERROR;
    }
  }

  /**
   * Sends the newest event id now and after commits, coalesced. A client that does not read has at most one unread line, and gets the
   * newest id once it reads. A second or failed watch closes the connection, because clients expect only ids.
   */
  async function watch(line: ParsedLine): Promise<void> {
    // A client that has gone would never unsubscribe.
    if (watching || socket.destroyed) return void socket.destroy();
    watching = true;
    let latest = -1;
    let sent = -1;
    let isUnread = false;
    let timer: NodeJS.Timeout | undefined;
    const notify = (): void => {
      timer = undefined;
      if (latest <= sent || isUnread) return;
      sent = latest;
      isUnread = true;
      send({ lastEventId: latest }, () => {
        isUnread = false;
        if (latest > sent) notifySoon();
      });
    };
    const notifySoon = (): void => {
      timer ??= setTimeout(notify, limits.watchMs);
    };
    // Subscribes before the current id is read, so that no commit in between is missed.
    const unsubscribe = subscribe((lastEventId) => {
      latest = Math.max(latest, lastEventId);
      notifySoon();
    });
    socket.once("close", () => {
      unsubscribe();
      clearTimeout(timer);
    });
    socket.setTimeout(0);
    const reply = await answer(line);
    if (!reply.ok || !("lastEventId" in reply.result)) return void socket.destroy();
    latest = Math.max(latest, reply.result.lastEventId);
    notify();
  }

  function send(line: Reply | Readonly<{ lastEventId: number }>, whenTaken?: () => void): void {
    if (socket.destroyed) return;
    socket.write(printLine(line), whenTaken);
    if (socket.writableLength > limits.maxUnsentBytes) socket.destroy();
  }

  return { finish };
}

/** Resolves once the client has read its answers. */
function whenRead(socket: Socket): Promise<void> | undefined {
  if (socket.destroyed || socket.writableLength <= WAIT_ABOVE_BYTES) return undefined;
  return new Promise((resolve) => {
    const go = (): void => {
      socket.off("drain", go).off("close", go);
      resolve();
    };
    socket.once("drain", go).once("close", go);
  });
}

const WAIT_ABOVE_BYTES = 64 * 1024;

const INTERNAL_ERROR: CommandError = {
  ok: false,
  kind: "failed",
  message: "The command failed because of a bug in the guard.",
  next: "See the guard's log.",
};
