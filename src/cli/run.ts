import { resolve } from "node:path";
import { DEFAULT_DATA_DIRECTORY, type Layout, layoutOf } from "../settings/layout.ts";
import { type CommandCall, type CommandOutcome, EXIT_CODES, PROGRAM, wrongUsage } from "./call.ts";
import { type CliCommand, commands } from "./commands.ts";
import { helpFor } from "./help.ts";
import { type Options, parse } from "./parse.ts";
import { printJson } from "./print/json.ts";
import { oneLine, printable } from "./print/text.ts";
import type { Terminal } from "./terminal.ts";

/** What a call needs besides its words. */
export type World = Readonly<{
  terminal: Terminal;
  env: NodeJS.ProcessEnv;
  version: string;
  now: () => number;
  connect: (layout: Layout, env: NodeJS.ProcessEnv) => Pick<CommandCall, "guard" | "keeper" | "reader">;
}>;

/** Runs one command line and returns its exit code. Never throws. */
export async function run(argv: readonly string[], world: World): Promise<number> {
  const { terminal, env } = world;
  try {
    const parsed = parse(argv, commands);
    const answer = await answerTo(parsed, world);
    const json = parsed.type !== "wrong" && parsed.options.has("json");
    say(answer, json, terminal);
    return answer.ok ? (answer.code ?? EXIT_CODES.done) : EXIT_CODES[answer.exit];
  } catch (error) {
    const debug = env["GHOSTINBOX_DEBUG"] === "1";
    const text = error instanceof Error ? ((debug ? error.stack : undefined) ?? error.message) : String(error);
    const hint = debug ? "" : " GHOSTINBOX_DEBUG=1 shows where.";
    terminal.err(debug ? printable(text) : oneLine(`Something unexpected went wrong: ${text}.${hint}`));
    return EXIT_CODES.failed;
  }
}

async function answerTo(parsed: ReturnType<typeof parse<CliCommand>>, world: World): Promise<CommandOutcome> {
  switch (parsed.type) {
    case "wrong":
      return wrongUsage(parsed.message, `See \`${PROGRAM} help${parsed.topic === "" ? "" : ` ${parsed.topic}`}\`.`);
    case "version":
      return { ok: true, json: { version: world.version }, text: `ghostinbox ${world.version}` };
    case "help":
      return helpFor(parsed.topic, commands);
    case "run":
      return parsed.command.run(callOf(parsed.args, parsed.options, world));
  }
}

function callOf(args: readonly string[], options: Options, world: World): CommandCall {
  const { env, terminal, now } = world;
  const named = options.get("data") ?? env["GHOSTINBOX_DATA"] ?? "";
  const layout = layoutOf(resolve(named === "" ? DEFAULT_DATA_DIRECTORY : named));
  return {
    args,
    option: (name) => options.get(name) ?? null,
    flag: (name) => options.has(name),
    json: options.has("json"),
    layout,
    env,
    terminal,
    now,
    ...world.connect(layout, env),
  };
}

function say(answer: CommandOutcome, json: boolean, terminal: Terminal): void {
  if (!answer.ok) {
    if (answer.found !== undefined && json) terminal.out(printJson(answer.found.json));
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
