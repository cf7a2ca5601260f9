import { parseArgs } from "node:util";
import { editDistance, nearest } from "../../core/text.ts";
import { oneLine } from "./print/text.ts";

/** What the parser needs to know about a command; the table in commands.ts has more. */
export type Shape = Readonly<{
  /** One to three words: `why`, `account add`, `spam allow add`. */
  name: string;
  /** The words after the name: `IP [REASON...]`. Words in brackets are optional; `...` stands for all remaining words. */
  usage: string;
  options: readonly Option[];
  /** Whether the words of a final `[MORE...]` stay separate, because each may contain spaces. */
  keepsWords?: true | undefined;
  /** Whether all words after the name, including options, are passed on to another program. */
  isVerbatim?: true | undefined;
}>;
/** An option without `value` is a switch. */
export type Option = Readonly<{ name: string; short?: string; value?: string | undefined; says: string }>;
/** The meaning of options by their form in the help: `--limit N`. */
export type OptionLines = Readonly<Record<`--${string}`, string>>;

/** Splits a line of the help such as `alias add ADDRESS TARGET...`: its lower-case words are the name, the rest is the usage. */
export function namedBy(line: string): Pick<Shape, "name" | "usage"> {
  const name = /^[a-z0-9 -]+(?= |$)/.exec(line)?.[0] ?? line;
  return { name, usage: line.slice(name.length + 1) };
}

export function optionsOf(lines: OptionLines): readonly Option[] {
  return Object.entries(lines).map(([line, says]) => {
    const [name = "", value] = line.slice("--".length).split(" ");
    return { name, value, says };
  });
}

/** The words of a list in one argument, separated by spaces or commas. */
export function wordsOf(text = ""): readonly string[] {
  return text.split(/[\s,]+/).filter((word) => word !== "");
}

/** The same for an argument that may be absent. One without words, as from an unset variable, is a wrong entry, not an empty list. */
export function listOf(text: string | undefined): readonly string[] {
  const words = wordsOf(text);
  return words.length === 0 && text !== undefined ? [text] : words;
}

export const GLOBAL_OPTIONS: readonly Option[] = [
  { name: "json", says: "Print JSON for programs." },
  { name: "data", value: "DIR", says: "The data directory; GHOSTINBOX_DATA sets it too." },
  { name: "help", short: "h", says: "Explain the command." },
  { name: "version", says: "Print the version." },
];

export type Parsed<C extends Shape> =
  | Readonly<{ type: "run"; command: C; args: readonly string[]; options: Options }>
  | Readonly<{ type: "help"; topic: string }>
  | Readonly<{ type: "version" }>
  | Readonly<{ type: "wrong"; message: string; topic: string }>;
/** A switch has the value "". */
export type Options = ReadonlyMap<string, string>;

/** Options may be at any position; after `--` everything is a word. Words for another program are not parsed. */
export function parse<C extends Shape>(argv: readonly string[], commands: readonly C[]): Parsed<C> {
  const verbatim = commands.find(({ name, isVerbatim }) => isVerbatim === true && name === argv[0]);
  if (verbatim !== undefined && argv[1] !== "--help")
    return { type: "run", command: verbatim, args: argv.slice(1), options: new Map() };
  const declared = [...GLOBAL_OPTIONS, ...commands.flatMap(({ options }) => options)];
  // A suggestion for a wrong option comes from the options of this command.
  const named = argv.filter((word) => !word.startsWith("-"));
  const meant = find(named, commands);
  const known = meant === null ? declared : [...GLOBAL_OPTIONS, ...meant.options];
  const split = splitOptions(argv, declared, known);
  if (typeof split === "string")
    return { type: "wrong", message: split, topic: meant?.name ?? groupOf(named, commands) };
  const { words, options } = split;
  if (options.has("version")) return { type: "version" };
  const command = find(words, commands);
  if (words[0] === "help" || words.length === 0 || options.has("help"))
    return { type: "help", topic: command?.name ?? words.filter((word) => word !== "help").join(" ") };
  if (command === null) return { type: "wrong", message: unknown(words, commands), topic: groupOf(words, commands) };
  const args = words.slice(command.name.split(" ").length);
  const problem = wrongOption(command, options) ?? wrongArguments(command, args);
  if (problem !== null) return { type: "wrong", message: problem, topic: command.name };
  return { type: "run", command, args: joinRest(command, args), options };
}

type Split = Readonly<{ words: readonly string[]; options: Options }>;

/** A returned string is an error message. */
function splitOptions(argv: readonly string[], declared: readonly Option[], known: readonly Option[]): Split | string {
  const types = declared.map(({ name, value, short }) => {
    const type = value === undefined ? ("boolean" as const) : ("string" as const);
    return [name, short === undefined ? { type } : { type, short }] as const;
  });
  // Not strict, so that we can give our own error messages.
  const { tokens } = parseArgs({ args: [...argv], options: Object.fromEntries(types), strict: false, tokens: true });
  const options = new Map<string, string>();
  for (const token of tokens) {
    if (token.kind !== "option") continue;
    const option = declared.find(({ name }) => name === token.name);
    if (option === undefined) return unknownOption(token.rawName, known);
    if (options.has(option.name)) return `--${option.name} is given twice.`;
    if (option.value === undefined && token.value !== undefined) return `--${option.name} takes no value.`;
    const value = token.value ?? "";
    if (option.value !== undefined && value === "")
      return `--${option.name} needs a value: --${option.name} ${option.value}.`;
    options.set(option.name, value);
  }
  return { words: tokens.flatMap((token) => (token.kind === "positional" ? [token.value] : [])), options };
}

function unknownOption(given: string, declared: readonly Option[]): string {
  const names = declared.map((option) => `--${option.name}`);
  return `Unknown option ${short(given)}.${suggestion(given, names)}`;
}

function find<C extends Shape>(words: readonly string[], commands: readonly C[]): C | null {
  for (const length of [3, 2, 1]) {
    const wanted = words.slice(0, length).join(" ");
    const found = commands.find(({ name }) => name === wanted);
    if (found !== undefined) return found;
  }
  return null;
}

/** The first word, such as `account`, if commands start with it. */
function groupOf(words: readonly string[], commands: readonly Shape[]): string {
  const first = words[0] ?? "";
  return commands.some(({ name }) => name.startsWith(`${first} `)) ? first : "";
}

function unknown(words: readonly string[], commands: readonly Shape[]): string {
  const group = groupOf(words, commands);
  if (group === "") {
    const firsts = commands.map(({ name }) => name.split(" ")[0] ?? "");
    return `Unknown command "${short(words[0] ?? "")}".${suggestion(words[0] ?? "", firsts)}`;
  }
  const verbs = commands
    .filter(({ name }) => name.startsWith(`${group} `))
    .map(({ name }) => name.slice(group.length + 1));
  const wanted = `${group} needs one of: ${verbs.join(", ")}.`;
  if (words[1] === undefined) return wanted;
  const near = suggestion(words.slice(1, 3).join(" "), verbs, group) || suggestion(words[1], verbs, group);
  return `Unknown command "${group} ${short(words[1])}".${near} ${wanted}`;
}

function wrongOption(command: Shape, options: Options): string | null {
  const known = [...GLOBAL_OPTIONS, ...command.options];
  const wrong = options.keys().find((name) => !known.some((option) => option.name === name));
  return wrong === undefined ? null : `${command.name} has no option --${wrong}.`;
}

function wrongArguments(command: Shape, args: readonly string[]): string | null {
  const parameters = command.usage === "" ? [] : command.usage.split(" ");
  const missing = parameters[args.length];
  if (missing !== undefined && !missing.startsWith("[")) return `${command.name} needs ${missing.replace("...", "")}.`;
  const surplus = takesRest(command) ? undefined : args[parameters.length];
  return surplus === undefined ? null : `${command.name} does not know what to do with "${short(surplus)}".`;
}

function takesRest(command: Shape): boolean {
  return /\.\.\.\]?$/.test(command.usage);
}

/** Joins the words of a final `[REASON...]` into one argument, so that they need no quotes. `derived.ts` splits lists again. */
function joinRest(command: Shape, args: readonly string[]): readonly string[] {
  const last = command.usage.split(" ").length - 1;
  const joins = takesRest(command) && command.keepsWords !== true && args.length > last;
  return joins ? [...args.slice(0, last), args.slice(last).join(" ")] : args;
}

/** Suggests a similar name, with `before` in front, if at most a third of the letters are wrong. */
function suggestion(given: string, known: readonly string[], before = ""): string {
  const near = nearest(given, known);
  if (editDistance(given.slice(0, 100), near) > given.length / 3) return "";
  return ` Did you mean ${`${before} ${near}`.trim()}?`;
}

function short(word: string): string {
  return oneLine(word.length > 60 ? `${word.slice(0, 60)}…` : word);
}
