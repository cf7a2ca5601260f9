import type { Command, Verb } from "../wire/control/control.ts";
import type { CommandCall } from "./call.ts";
import type { Terminal } from "./terminal.ts";

const SILENT_MS = 2_000;

type Programs = Pick<CommandCall, "guard" | "keeper" | "reader">;

/** Wraps the same functions; a terminal gets a message when an answer takes long, such as that of an alert receiver. */
export function withWaiting(programs: Programs, terminal: Pick<Terminal, "progress">): Programs {
  const { guard, keeper, reader } = programs;
  const announced = async <T>(answer: Promise<T>): Promise<T> => {
    const timer = setTimeout(() => terminal.progress("Waiting for the server ..."), SILENT_MS);
    return answer.finally(() => clearTimeout(timer));
  };
  return {
    guard: {
      ask: <V extends Verb>(command: Extract<Command, { verb: V }>) => announced(guard.ask<V>(command)),
      watch: (onEvents, signal) => guard.watch(onEvents, signal),
    },
    keeper: { ask: (command) => announced(keeper.ask(command)) },
    reader,
  };
}
