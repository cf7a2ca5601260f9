import { type Answer, type Call, type CliCommand, done, PROGRAM, wrongUsage } from "../call.ts";
import { GLOBAL_OPTIONS } from "../parse.ts";

/** Also completes after `~/ghostinbox/ghostinbox`, in which bash has not expanded the `~` yet. */
const BASH = `# Completion of ghostinbox for bash(1): the program lists what may follow.
_ghostinbox() {
  local offered current=\${COMP_WORDS[COMP_CWORD]}
  # bash parts --option=value into three words.
  if [ "$current" = "=" ]; then current=""; fi
  offered=$("\${COMP_WORDS[0]/#\\~/$HOME}" completion bash -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null | cut -d " " -f 1)
  if [ "$offered" = / ]; then
    mapfile -t COMPREPLY < <(compgen -f -- "$current")
  else
    mapfile -t COMPREPLY < <(compgen -W "$offered" -- "$current")
  fi
}
complete -o filenames -F _ghostinbox ghostinbox ./ghostinbox
`;

/** In the format of _describe: `word:description`, with other colons escaped. */
const ZSH = `#compdef ghostinbox ./ghostinbox
# Completion of ghostinbox for zsh(1): the program lists what may follow.
_ghostinbox() {
  local -a offered
  offered=("\${(@f)$("\${words[1]/#\\~/$HOME}" completion zsh -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ $offered == / ]]; then
    _files
    return
  fi
  offered=("\${(@)offered//:/\\\\:}")
  offered=("\${(@)offered/ /:}")
  [[ -n $offered ]] && _describe command offered
}
if [[ \${funcstack[1]} == _ghostinbox ]]; then _ghostinbox "$@"; else compdef _ghostinbox ghostinbox ./ghostinbox; fi
`;

const FISH = `# Completion of ghostinbox for fish(1): the program lists what may follow.
function __ghostinbox_offer
    set -l typed (commandline -opc)
    set -l program (string replace -r '^~' $HOME -- $typed[1])
    set -l current (commandline -ct)
    set -l offered ($program completion fish -- $typed[2..-1] "$current" 2>/dev/null)
    if test "$offered" = /
        __fish_complete_path "$current"
    else
        string replace ' ' \\t -- $offered
    end
end
complete -c ghostinbox -f -a '(__ghostinbox_offer)'
`;

/** For each shell, the script that completes commands and options. */
export const COMPLETIONS = { bash: BASH, zsh: ZSH, fish: FISH } as const;

/**
 * `completion SHELL`: prints the script for that shell. With the words typed after the program, it prints what may replace the last one,
 * each with its description, or `/` if that may be a file or directory.
 */
export function completion(call: Call, commands: readonly CliCommand[]): Answer {
  const [shell = "", ...typed] = call.args;
  const script = Object.entries(COMPLETIONS)
    .find(([name]) => name === shell)?.[1]
    .trimEnd();
  if (script === undefined)
    return wrongUsage(`No completion exists for ${shell}.`, `\`${PROGRAM} completion bash\`, zsh or fish.`);
  if (typed.length === 0) return done({ shell, script }, script);
  const words = offeredAfter(typed, commands);
  return done({ words }, words.map(({ word, says }) => `${word} ${says}`.trim()).join("\n"));
}

type Offered = Readonly<{ word: string; says: string }>;
type Named = Pick<CliCommand, "name" | "usage" | "says" | "options">;

const HELP: Named = { name: "help", usage: "[COMMAND]", says: "Explain a command.", options: [] };
/** Words of a usage that stand for a file or directory. */
const FILES = /^\[?(?:FILE|DIR|LOG|BUNDLE|PLACE)\]?$/;
const ANY_FILE: readonly Offered[] = [{ word: "/", says: "" }];

function offeredAfter(typed: readonly string[], commands: readonly Named[]): readonly Offered[] {
  const current = typed.at(-1) ?? "";
  const options = [...GLOBAL_OPTIONS, ...commands.flatMap((command) => command.options)];
  const before: string[] = [];
  let value: string | undefined;
  for (const word of typed.slice(0, -1).filter((one) => one !== "=")) {
    if (value !== undefined) value = undefined;
    else if (word.startsWith("-")) value = options.find(({ name }) => word === `--${name}`)?.value;
    else before.push(word);
  }
  if (value !== undefined) return FILES.test(value) ? ANY_FILE : [];
  if (before[0] !== HELP.name) return offeredOf(before, current, [...commands, HELP]);
  const topics = commands.map((command) => ({ ...command, usage: "" }));
  return offeredOf(before.slice(1), current, topics);
}

function offeredOf(before: readonly string[], current: string, commands: readonly Named[]): readonly Offered[] {
  const startOf = (words: number): string => [...before.slice(0, words), ""].join(" ");
  const within = (start: string) => commands.filter(({ name }) => `${name} `.startsWith(start));
  const words = [3, 2, 1].find((most) => most <= before.length && within(startOf(most)).length > 0) ?? 0;
  const start = startOf(words);
  const command = commands.find(({ name }) => `${name} ` === start);
  if (current.startsWith("-"))
    return [...(command?.options ?? []), ...GLOBAL_OPTIONS].map(({ name, says }) => ({ word: `--${name}`, says }));
  const place = command?.usage.split(" ")[before.length - words] ?? "";
  if (FILES.test(place)) return ANY_FILE;
  const listed = place
    .replace(/^\[|\]$/g, "")
    .split("|")
    .filter((word) => /^[a-z-]+$/.test(word));
  const next = words === before.length ? nextWords(start, within(start)) : [];
  return [...next, ...listed.map((word) => ({ word, says: "" }))];
}

/** Describes a word that starts several commands by naming them. */
function nextWords(start: string, within: readonly Named[]): readonly Offered[] {
  const longer = within.filter(({ name }) => name.length > start.length);
  const byWord = Map.groupBy(longer, ({ name }) => name.slice(start.length).split(" ")[0] ?? "");
  return [...byWord].map(([word, found]) => {
    const alone = found.find(({ name }) => name === `${start}${word}`);
    const rest = found.map(({ name }) => name.slice(start.length + word.length + 1));
    return { word, says: alone?.says ?? rest.join(", ") };
  });
}
