import { fitted } from "../../core/text.ts";
import { type Answer, type CliCommand, done, EXIT_MEANINGS, PROGRAM, wrongUsage } from "./call.ts";
import { GLOBAL_OPTIONS, type Option } from "./parse.ts";
import { columns, joined } from "./print/text.ts";

const MOST_COLUMNS = 80;
const INDENT = " ".repeat(28);

export function helpFor(topic: string, commands: readonly CliCommand[]): Answer {
  const matching = commands.filter(({ name }) => topic === "" || name === topic || name.startsWith(`${topic} `));
  const only = matching[0];
  if (only === undefined) return wrongUsage(`Unknown command "${topic}".`, `\`${PROGRAM} help\` lists them all.`);
  const json = { commands: matching.map(({ name, usage, says, options }) => ({ name, usage, says, options })) };
  return done(json, matching.length === 1 ? helpForOne(only) : helpForMany(topic, matching));
}

function helpForOne({ name, usage, says, options }: CliCommand): string {
  const given = options.map((option) => `[${optionUsage(option)}]`);
  const all = [...options, ...GLOBAL_OPTIONS.filter((option) => option.name !== "version")];
  return `${PROGRAM} ${joined(" ", [name, usage, ...given])}\n\n${says}\n\n${optionTable(all)}`;
}

function helpForMany(topic: string, matching: readonly CliCommand[]): string {
  const sections = sectionsOf(matching).map(({ heading, commands }) => `${heading}:\n${table(commands)}`);
  const lists = topic === "" ? sections : [table(matching)];
  const head = `${PROGRAM} ${topic === "" ? "COMMAND" : topic} [OPTION...]\n\n`;
  const exits = `Exit codes: ${EXIT_MEANINGS.map((one) => one.join(" ")).join(", ")}.`;
  const more = `\`${PROGRAM} help COMMAND\` shows the options of a command.\n\`${PROGRAM} events --types\` shows every type of event.`;
  return `${head}${lists.join("\n\n")}\n\n${optionTable(GLOBAL_OPTIONS)}\n\n${more}\n${exits}`;
}

/** Headings of the help, each with the first words of the commands below it. */
const SECTIONS: Readonly<Record<string, string>> = {
  "The server":
    "status check stats stop restart upgrade rollback config admin token session backup retention encryption service completion uninstall",
  "What happened and why": "report events logs find why replay alerts audit access",
  "Bans and the firewall": "ban unban bans allow cleanup break-glass fail2ban firewall",
  Incidents: "incident",
  Accounts: "account alias greylist spam",
  "Mail that leaves": "queue sendmail dns",
};

export const FIRST_WORDS = Object.values(SECTIONS).flatMap((firsts) => firsts.split(" "));

/** A command without a section would be missing from the help; a test checks that every command has one. */
export function sectionsOf(commands: readonly CliCommand[]) {
  return Object.entries(SECTIONS).map(([heading, firsts]) => ({
    heading,
    commands: firsts.split(" ").flatMap((first) => commands.filter(({ name }) => name.split(" ")[0] === first)),
  }));
}

/** Fits into 80 columns: descriptions wrap in their column, and a long usage gets a separate line. */
function table(rows: readonly CliCommand[]): string {
  return rows
    .map((command) => {
      const usage = joined(" ", [command.name, command.usage]);
      const line = usage.length < INDENT.length - 1 ? usage.padEnd(INDENT.length) : `${usage}\n${INDENT}`;
      return fitted(`${line}${command.says}`, MOST_COLUMNS, INDENT);
    })
    .join("\n");
}

function optionTable(options: readonly Option[]): string {
  return columns(options.map((option) => [optionUsage(option), option.says]));
}

function optionUsage({ name, value }: Option): string {
  return value === undefined ? `--${name}` : `--${name} ${value}`;
}
