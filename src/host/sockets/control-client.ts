import { connect, type Socket } from "node:net";
import { parseReply, parseWatchLine, printLine } from "../../admin/declare/codec.ts";
import type { Command, ControlLine, Reply, Verb } from "../../admin/declare/control.ts";
import { CONTROL_LINE_BYTES, CONTROL_REPLY_BYTES, Framer } from "../../admin/declare/framing.ts";
import { codeOf } from "../../core/error.ts";

/** How long a command may take by default. */
export const CONTROL_TIMEOUT_MS = 10_000;

/**
 * `not_running`: nothing listens. `denied`: this user may not use the socket. `broken`: the guard closed the connection or
 * broke the protocol.
 */
export type NoAnswer = Readonly<{ ok: false; kind: "not_running" | "denied" | "timeout" | "broken"; message: string }>;
type ControlReply<V extends Verb> = Reply<V> | NoAnswer;

/**
 * The line without its command. `by`: the user of the command line (`callerName`), or the name of another program. Only the web adds its
 * caller's secret and address, by which the guard finds the actor.
 */
type LineHead = Omit<ControlLine, "command">;

/** Sends one command to the guard and waits for the reply. Never rejects. */
export function ask<C extends Command>(
  socketPath: string,
  head: LineHead,
  command: C,
  timeoutMs: number = CONTROL_TIMEOUT_MS,
): Promise<ControlReply<C["verb"]>> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    const framer = new Framer(CONTROL_REPLY_BYTES);
    const finish = (answer: ControlReply<C["verb"]>): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(() => finish(noAnswer("timeout")), timeoutMs);
    socket.on("error", (error) => finish(noAnswer(kindOf(error))));
    socket.on("close", () => finish(noAnswer("broken")));
    socket.on("data", (chunk: Buffer) => {
      const bounded = framer.push(chunk, (line) =>
        finish(parseReply<C["verb"]>(command.verb, line) ?? noAnswer("broken")),
      );
      if (!bounded) finish(noAnswer("broken"));
    });
    socket.write(printLine({ ...head, command }));
  });
}

export type Watch = Readonly<{
  /** Resolves with the reason when the watch ends. Never rejects. */
  ended: Promise<NoAnswer>;
  close: () => void;
}>;

/** Calls `onCommit` with the id of the last event, once at the start and then after commits. */
export function watch(socketPath: string, onCommit: (lastEventId: number) => void): Watch {
  const socket: Socket = connect(socketPath);
  const framer = new Framer(CONTROL_LINE_BYTES);
  const ended = new Promise<NoAnswer>((resolve) => {
    socket.on("error", (error) => resolve(noAnswer(kindOf(error))));
    socket.on("close", () => resolve(noAnswer("broken")));
  });
  socket.on("data", (chunk: Buffer) => {
    const bounded = framer.push(chunk, (line) => {
      const lastEventId = parseWatchLine(line);
      if (lastEventId === null) socket.destroy();
      else if (!socket.destroyed) onCommit(lastEventId);
    });
    if (!bounded) socket.destroy();
  });
  socket.write(printLine({ by: "watch", command: { verb: "watch" } }));
  return { ended, close: () => socket.destroy() };
}

const MESSAGES: Readonly<Record<NoAnswer["kind"], string>> = {
  not_running: "The guard is not running.",
  denied: "This user may not send commands to the guard.",
  timeout: "The guard did not answer in time.",
  broken: "The connection to the guard broke before it answered.",
};

function noAnswer(kind: NoAnswer["kind"]): NoAnswer {
  return { ok: false, kind, message: MESSAGES[kind] };
}

function kindOf(error: Error): NoAnswer["kind"] {
  switch (codeOf(error)) {
    case "ENOENT":
    case "ENOTDIR":
    case "ECONNREFUSED":
      return "not_running";
    case "EACCES":
    case "EPERM":
      return "denied";
    default:
      return "broken";
  }
}
