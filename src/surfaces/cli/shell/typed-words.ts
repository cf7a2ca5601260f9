import { GLOBAL_OPTIONS, type Option, type Shape } from "../parse.ts";

export type Offered = Readonly<{ word: string; says: string }>;

type Following = Readonly<{
  /** Words of a command and how many arguments came after them: `spam allow:0`, `account import:0`. */
  after: string;
  words: readonly Offered[];
  /** Whether the name of a file or directory may follow. */
  file: boolean;
}>;

/** The parts of the command table that a completion needs. */
export type TypedWords = Readonly<{
  /** Each sequence of first words that leads to a command, including the command itself. */
  leading: readonly string[];
  following: readonly Following[];
  /** The options of each command, by its words; `GLOBAL_OPTIONS` are for every command. */
  options: readonly Readonly<{ command: string; options: readonly Option[] }>[];
  /** Options whose next word is their value: those that name a file, and the others. */
  fileOptions: readonly string[];
  valueOptions: readonly string[];
}>;

export type Command = Shape & Readonly<{ says: string }>;

const HELP: Command = { name: "help", usage: "[COMMAND]", says: "Explain a command.", options: [] };
/** Words of a usage that represent a file or a directory. */
const FILES = /^\[?(?:FILE|DIR|LOG|BUNDLE|PLACE)\]?$/;

export function typedWords(commands: readonly Command[]): TypedWords {
  const all = [...commands, HELP];
  const leading = [...new Set(all.flatMap(({ name }) => leadingOf(name)))];
  const firsts = nextWords("", all);
  const options = unique([...GLOBAL_OPTIONS, ...all.flatMap(({ options }) => options)]);
  const valued = options.filter(({ value }) => value !== undefined);
  return {
    leading,
    following: [
      { after: ":0", words: firsts, file: false },
      { after: "help:0", words: firsts.filter(({ word }) => word !== HELP.name), file: false },
      ...leading.flatMap((after) => groupOf(after, all)),
      ...commands.flatMap(argumentsOf),
    ],
    options: commands.map(({ name, options: own }) => ({ command: name, options: own })),
    fileOptions: valued.filter(({ value = "" }) => FILES.test(value)).map(spelled),
    valueOptions: valued.filter(({ value = "" }) => !FILES.test(value)).map(spelled),
  };
}

export function spelled({ name }: Option): string {
  return `--${name}`;
}

/** Patterns of one branch of `case`, each on a line, because a terminal cuts very long lines. */
export function anyOf(words: readonly string[]): string {
  return words.map((word) => `"${word}"`).join(` |${GOES_ON}`);
}

/** Between the words of a list in a script: the line continues in the next one. */
export const GOES_ON = " \\\n        ";

function leadingOf(name: string): readonly string[] {
  const words = name.split(" ");
  return words.map((_, at) => words.slice(0, at + 1).join(" "));
}

function groupOf(after: string, all: readonly Command[]): readonly Following[] {
  const words = nextWords(after, all);
  return words.length === 0 ? [] : [{ after: `${after}:0`, words, file: false }];
}

/** Describes a word that starts several commands by naming them. */
function nextWords(after: string, all: readonly Command[]): readonly Offered[] {
  const prefix = after === "" ? "" : `${after} `;
  const within = all.filter(({ name }) => name.startsWith(prefix));
  const byWord = Map.groupBy(within, ({ name }) => name.slice(prefix.length).split(" ")[0] ?? "");
  return [...byWord].map(([word, found]) => {
    const alone = found.find(({ name }) => name === `${prefix}${word}`);
    const rest = found.map(({ name }) => name.slice(prefix.length + word.length + 1));
    return { word, says: alone?.says ?? rest.join(", ") };
  });
}

/** Words that a usage lists, such as `add|remove|list`, and its files, each at its position. */
function argumentsOf({ name, usage }: Command): readonly Following[] {
  return usage.split(" ").flatMap((place, at) => {
    const words = place.replace(/^\[|\]$/g, "").split("|");
    const literal = words.filter((word) => /^[a-z-]+$/.test(word)).map((word) => ({ word, says: "" }));
    const file = FILES.test(place);
    return literal.length === 0 && !file ? [] : [{ after: `${name}:${at}`, words: literal, file }];
  });
}

function unique(options: readonly Option[]): readonly Option[] {
  return [...new Map(options.map((option) => [option.name, option])).values()];
}
