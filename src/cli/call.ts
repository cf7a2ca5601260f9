import type { Keeper } from "../engine/admin-ports.ts";
import type { Layout } from "../settings/layout.ts";
import type { Command as GuardCommand, Results, Verb } from "../wire/control/control.ts";
import type { Shape } from "./parse.ts";
import type { Reader } from "./reader.ts";
import type { Terminal } from "./terminal.ts";

/** The one place that maps the result of a command to its exit code. */
export const EXIT_CODES = { done: 0, failed: 1, wrong_usage: 2, not_running: 3 } as const;
export type ExitName = keyof typeof EXIT_CODES;

/** How people call the program in a checkout; hints use it. */
export const PROGRAM = "./ghostinbox";

/**
 * `json` is the output of --json, `text` is for people, `next` is the command that may be useful now. `code`: the exit code
 * of a program that ran in its place.
 */
export type Done = Readonly<{ ok: true; json: unknown; text: string; next?: string; code?: number }>;
/** One line: what happened and why, then what to do next. */
export type CommandFailure = Readonly<{
  ok: false;
  exit: Exclude<ExitName, "done">;
  message: string;
  next: string;
  /** The problems found, one on each line, before the message; with --json the members of `json` beside the error. */
  found?: Readonly<{ lines: readonly string[]; json: unknown }>;
}>;
export type CommandOutcome = Done | CommandFailure;

export type GuardReply<V extends Verb> = Readonly<{ ok: true; result: Results[V] }> | CommandFailure;

/** The running guard. */
export interface GuardClient {
  ask<V extends Verb>(command: Extract<GuardCommand, { verb: V }>): Promise<GuardReply<V>>;
  /** Calls `onEvents` with the last id after each commit, until the signal fires or the guard ends. */
  watch(onEvents: (lastEventId: number) => void, signal: AbortSignal): Promise<CommandFailure | Readonly<{ ok: true }>>;
}

/** One call of a command: the words, already checked against the table, and the ports that it may use. */
export type CommandCall = Readonly<{
  args: readonly string[];
  /** The value of an option; null if it was not given. */
  option(name: string): string | null;
  flag(name: string): boolean;
  json: boolean;
  layout: Layout;
  env: NodeJS.ProcessEnv;
  guard: GuardClient;
  keeper: Keeper;
  /** The database, once the guard has answered: its files are never opened without the guard. */
  reader(): Promise<Readonly<{ ok: true; reader: Reader }> | CommandFailure>;
  terminal: Terminal;
  now(): number;
}>;

/** A command as the help shows it, and the function that runs it. */
export type CliCommand = Shape &
  Readonly<{
    says: string;
    run: (call: CommandCall) => Promise<CommandOutcome>;
    /** Whether to wrap long lines on a terminal. False for text that people copy, such as settings and DNS records. */
    wraps?: boolean;
  }>;

export function done(json: unknown, text: string, next?: string): Done {
  return next === undefined ? { ok: true, json, text } : { ok: true, json, text, next };
}

export function failed(message: string, next: string): CommandFailure {
  return { ok: false, exit: "failed", message, next };
}

export function wrongUsage(message: string, next: string): CommandFailure {
  return { ok: false, exit: "wrong_usage", message, next };
}

export const NOT_RUNNING: CommandFailure = {
  ok: false,
  exit: "not_running",
  message: "GhostInbox is not running.",
  next: "Start it with `npm start`.",
};
