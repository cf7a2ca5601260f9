import { existsSync } from "node:fs";
import type { Command as GuardCommand, Results, Verb } from "../../admin/declare/control.ts";
import { fitted } from "../../core/text.ts";
import type { Millis } from "../../core/time.ts";
import type { Keeper } from "../../guard/admin-ports.ts";
import type { Layout } from "../../settings/layout.ts";
import type { openReader } from "./open-reader.ts";
import type { Shape } from "./parse.ts";
import { printJson } from "./print/text.ts";
import type { createProcessTerminal } from "./process-terminal.ts";

/** The one place that maps the result of a command to its exit code. */
export const EXIT_CODES = { done: 0, failed: 1, wrong_usage: 2, not_running: 3 } as const;
/** Each code with its meaning, for people. */
export const EXIT_MEANINGS = Object.entries(EXIT_CODES).map(([name, code]) => [code, name.replace("_", " ")] as const);

/** The program's name in hints, as people type it in a checkout. */
export const PROGRAM = "./ghostinbox";

/**
 * `json` is the output of --json, `text` is for people, `next` is the command that may be useful now. `code`: the exit code of a
 * program that did the work.
 */
export type Done = Readonly<{ ok: true; json: unknown; text: string; next?: string; code?: number }>;
/** One line: what happened and why, then what to do next. */
export type Failure = Readonly<{
  ok: false;
  exit: Exclude<keyof typeof EXIT_CODES, "done">;
  message: string;
  next: string;
  found?: Problems;
}>;
/** Problems to print before the message, one per line; with --json, members of `json` to print beside the error. */
type Problems = Readonly<{ lines: readonly string[]; json: unknown }>;
export type Answer = Done | Failure;

type GuardReply<V extends Verb> = Readonly<{ ok: true; result: Results[V] }> | Failure;

/** A command, with its verb inferred. */
export type GuardCommandOf<V extends Verb> = Readonly<{ verb: V }> & Extract<GuardCommand, { verb: V }>;

export interface GuardClient {
  ask<V extends Verb>(command: GuardCommandOf<V>): Promise<GuardReply<V>>;
  /** Calls `onEvents` with the last id after each commit, until the signal fires or the guard ends. */
  watch(onEvents: (lastEventId: number) => void, signal: AbortSignal): Promise<Failure | Readonly<{ ok: true }>>;
}

/** One call of a command: its words, already checked against the table of commands, and the ports that it may use. */
export type Call = Readonly<{
  /** The words after the command's name; those of a final `[MORE...]` are joined into one, unless `keepsWords` (`parse.ts`). */
  args: readonly string[];
  /** The value of an option; null if it was not given. */
  option(name: string): string | null;
  flag(name: string): boolean;
  json: boolean;
  layout: Layout;
  env: NodeJS.ProcessEnv;
  guard: GuardClient;
  keeper: Keeper;
  /** Opens the databases once the guard has answered; they are never opened without the guard. */
  reader(): Promise<Readonly<{ ok: true; reader: Reader }> | Failure>;
  terminal: Terminal;
  now(): Millis;
}>;

/** A command as the help shows it, and the function that runs it. */
export type CliCommand = Shape &
  Readonly<{
    says: string;
    run: (call: Call) => Promise<Answer>;
    /** Only root may run it. */
    root?: true | undefined;
    /** People copy its text, such as settings and DNS records, so its long lines are not wrapped on a terminal. */
    copied?: true | undefined;
  }>;

export function done(json: unknown, text: string, next?: string): Done {
  return next === undefined ? { ok: true, json, text } : { ok: true, json, text, next };
}

export function failed(message: string, next: string, found?: Problems): Failure {
  return { ok: false, exit: "failed", message, next, ...(found && { found }) };
}

export function wrongUsage(message: string, next: string): Failure {
  return { ok: false, exit: "wrong_usage", message, next };
}

/** What commands read from the databases. */
export type Reader = Extract<ReturnType<typeof openReader>, { ok: true }>["reader"];

export type Terminal = ReturnType<typeof createProcessTerminal>;

/** A command that runs only while the guard answers. */
export function whileRunning(run: CliCommand["run"]) {
  return async (call: Call): Promise<Answer> => {
    const running = await call.guard.ask({ verb: "ping" });
    return running.ok ? run(call) : running;
  };
}

export function withReader(run: (call: Call, reader: Reader) => Promise<Answer>) {
  return async (call: Call): Promise<Answer> => {
    const opened = await call.reader();
    return opened.ok ? run(call, opened.reader) : opened;
  };
}

/** Shows an essential key. Calls `seen` only once all of it is written. `again`: how to show the key after a failure. */
export async function showKey(
  { terminal, json }: Call,
  { json: all, text, next }: Omit<Done, "ok">,
  { seen, again }: Readonly<{ seen: () => void; again: string }>,
): Promise<Answer> {
  const forPeople = terminal.width === null ? text : fitted(text, terminal.width);
  const shown = await terminal.outForGood(json ? printJson(all) : forPeople);
  if (!shown.ok)
    return failed(`The key could not be written out, so it does not count as displayed: ${shown.reason}.`, again);
  seen();
  return done(undefined, "", next);
}

/** Returns whether the administrator agrees. Without a terminal, assumes yes, because a script has decided. */
export async function confirmed(call: Call, question: string): Promise<boolean> {
  return !call.terminal.interactive || call.flag("yes") || agrees(call, question);
}

/** The same, but without a terminal the answer is no. */
export async function agrees({ terminal }: Call, question: string): Promise<boolean> {
  const reply = terminal.interactive ? await terminal.ask(`${question} [y/N] `) : null;
  return reply !== null && /^y(es)?$/i.test(reply.trim());
}

/** Null with --yes or if the administrator agrees; otherwise the failure. `nothing`: its text, such as "nothing was deleted". */
export async function whyNotSure(call: Call, question: string, nothing: string): Promise<Failure | null> {
  if (call.flag("yes") || (await agrees(call, question))) return null;
  return call.terminal.interactive
    ? failed(`${nothing.replace(/^n/, "N")}.`, "")
    : wrongUsage(`There is no terminal to confirm on, so ${nothing}.`, "Use --yes to confirm.");
}

const HINT = "`--data` or GHOSTINBOX_DATA names a server's directory.";

/** The failure if the data directory has no server, so that it may be the wrong directory; otherwise null. */
export function noServerIn({ data, settings }: Layout): Failure | null {
  return existsSync(settings) ? null : failed(`${data} has no server: it contains no ghostinbox.toml.`, HINT);
}
