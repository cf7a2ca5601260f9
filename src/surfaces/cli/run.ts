import { resolve } from "node:path";
import type { Verb } from "../../admin/declare/control.ts";
import { messageOf } from "../../core/error.ts";
import { fitted, quoted } from "../../core/text.ts";
import { instant } from "../../core/time.ts";
import { VERSION } from "../../core/version.ts";
import { diskTrouble, SetUpFailure } from "../../host/running/failure.ts";
import { DEFAULT_DATA_DIRECTORY, type Layout, layoutOf } from "../../settings/layout.ts";
import {
  type Answer,
  type Call,
  type CliCommand,
  EXIT_CODES,
  type Failure,
  failed,
  type GuardClient,
  type GuardCommandOf,
  PROGRAM,
  type Terminal,
  wrongUsage,
} from "./call.ts";
import { commands } from "./commands.ts";
import { wrongWord } from "./derived.ts";
import { helpFor } from "./help.ts";
import { type Options, type Parsed, parse, wordsOf } from "./parse.ts";
import { oneLine, printable, printJson } from "./print/text.ts";

/** What a call needs from outside, in addition to its words; `programs/command-line` provides it. */
export type World = Readonly<{
  terminal: Terminal;
  env: NodeJS.ProcessEnv;
  now: () => number;
  connect: (layout: Layout, env: NodeJS.ProcessEnv) => Connected;
}>;
/** `close` closes the databases that were opened for reading. */
type Connected = Pick<Call, "guard" | "keeper" | "reader"> & Readonly<{ close: () => void }>;

/** Runs one command line and returns its exit code. Never throws. */
export async function run(argv: readonly string[], world: World): Promise<number> {
  const { terminal, env } = world;
  try {
    const parsed = parse(argv, commands);
    const answer = await answerTo(parsed, world, argv);
    const wraps = parsed.type !== "run" || parsed.command.copied !== true;
    say(wraps ? wrapped(answer, terminal) : answer, wantsJson(argv), terminal);
    return answer.ok ? (answer.code ?? EXIT_CODES.done) : EXIT_CODES[answer.exit];
  } catch (error) {
    const debug = env["GHOSTINBOX_DEBUG"] === "1";
    const text = messageOf(error);
    const known = error instanceof SetUpFailure ? text : diskTrouble(error, "give the command again");
    const message = known ?? `Something unexpected went wrong: ${text}.`;
    const next = debug || known !== null ? "" : "GHOSTINBOX_DEBUG=1 shows where.";
    if (wantsJson(argv)) terminal.out(printJson(errorJson({ ok: false, exit: "failed", message, next })));
    if (debug) terminal.err(printable(error instanceof Error ? (error.stack ?? text) : text));
    else terminal.err(oneLine(`${message} ${next}`.trim()));
    return EXIT_CODES.failed;
  }
}

/** Wraps lines for terminals only, so that files and other programs get them whole. */
function wrapped(answer: Answer, { width }: Terminal): Answer {
  if (width === null) return answer;
  if (answer.ok) return { ...answer, text: fitted(answer.text, width) };
  const { found } = answer;
  if (found === undefined) return answer;
  return { ...answer, found: { ...found, lines: found.lines.flatMap((line) => fitted(line, width).split("\n")) } };
}

/** Works even for words that could not be parsed, because a program may read the output. */
function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf("--");
  return argv.slice(0, end < 0 ? undefined : end).includes("--json");
}

/** The --json output of a failed command, including its findings (docs/api.md). */
function errorJson({ exit, message, next, found }: Failure): object {
  const details = typeof found?.json === "object" && found.json !== null ? found.json : {};
  return { ...details, ok: false, error: { code: exit, exitCode: EXIT_CODES[exit], message, next } };
}

async function answerTo(parsed: Parsed<CliCommand>, world: World, argv: readonly string[]): Promise<Answer> {
  switch (parsed.type) {
    case "wrong":
      return wrongUsage(parsed.message, `See \`${PROGRAM} help${parsed.topic === "" ? "" : ` ${parsed.topic}`}\`.`);
    case "version":
      return { ok: true, json: { version: VERSION }, text: `ghostinbox ${VERSION}` };
    case "help":
      return helpFor(parsed.topic, commands);
    case "run": {
      const { name, root } = parsed.command;
      // sudo(8) does not pass on variables.
      const data = parsed.options.has("data") ? "" : (world.env["GHOSTINBOX_DATA"] ?? "");
      const words = data === "" ? argv : ["--data", data, ...argv];
      if (root === true && process.getuid?.() !== 0)
        return failed(`Only root may use \`${name}\`.`, `Try: sudo ${PROGRAM} ${words.map(quoted).join(" ")}`);
      return answerOf(parsed.command, parsed.args, parsed.options, world);
    }
  }
}

async function answerOf(command: CliCommand, args: readonly string[], options: Options, world: World) {
  const { env, terminal, now } = world;
  const named = options.get("data") ?? env["GHOSTINBOX_DATA"] ?? "";
  const layout = layoutOf(resolve(named === "" ? DEFAULT_DATA_DIRECTORY : named));
  const connected = world.connect(layout, env);
  const typed = new Set([...args, ...args.flatMap((text) => wordsOf(text)), ...options.values()]);
  const call: Call = {
    args,
    option: (name) => options.get(name) ?? null,
    flag: (name) => options.has(name),
    json: options.has("json"),
    layout,
    env,
    terminal,
    now: () => instant(now()),
    guard: withChecks(connected.guard, command, typed),
    keeper: connected.keeper,
    reader: connected.reader,
  };
  try {
    return await command.run(call);
  } finally {
    connected.close();
  }
}

/** Refuses wrong values before the guard does, so that the message can quote what was typed and name the help. */
function withChecks(guard: GuardClient, { name }: CliCommand, typed: ReadonlySet<string>): GuardClient {
  return {
    ...guard,
    ask: async <V extends Verb>(command: GuardCommandOf<V>) => {
      const wrong = wrongWord(command, typed);
      return wrong === null ? guard.ask<V>(command) : wrongUsage(wrong, `See \`${PROGRAM} help ${name}\`.`);
    },
  };
}

function say(answer: Answer, json: boolean, terminal: Terminal): void {
  if (!answer.ok) {
    if (json) terminal.out(printJson(errorJson(answer)));
    else for (const line of answer.found?.lines ?? []) terminal.err(oneLine(line));
    terminal.err(oneLine(`${answer.message} ${answer.next}`.trim()));
    return;
  }
  if (json) {
    if (answer.json !== undefined) terminal.out(printJson(answer.json));
    return;
  }
  if (answer.text !== "") terminal.out(printable(answer.text));
  if (answer.next !== undefined) terminal.err(printable(`Next: ${answer.next}`));
}
