import { type Answer, type Call, done, PROGRAM, wrongUsage } from "../call.ts";
import { GLOBAL_OPTIONS, type Option } from "../parse.ts";
import { anyOf, type Command, GOES_ON, type Offered, spelled, type TypedWords, typedWords } from "./typed-words.ts";

/** Completion for bash(1). Its suggestions depend only on the words, so the Tab key starts no program. */
export function bashCompletion({ leading, following, options, fileOptions, valueOptions }: TypedWords): string {
  return `# Completion of ghostinbox for bash, made from the table of its commands.
_ghostinbox() {
  local word command="" value="" at arguments=0 offered=""
  local current=\${COMP_WORDS[COMP_CWORD]}
  COMPREPLY=()
  for ((at = 1; at < COMP_CWORD; at++)); do
    word=\${COMP_WORDS[at]}
    # bash parts --option=value into three words.
    if [ "$word" = "=" ]; then continue; fi
    if [ -n "$value" ]; then
      value=""
      continue
    fi
    case $word in
      ${anyOf([...fileOptions, ...valueOptions])})
        value=$word
        continue
        ;;
      -*) continue ;;
    esac
    case $arguments:\${command:+$command }$word in
      ${anyOf(leading.map((words) => `0:${words}`))}) command="\${command:+$command }$word" ;;
      *) arguments=$((arguments + 1)) ;;
    esac
  done
  if [ "$current" = "=" ]; then current=""; fi
  case $value in
    "") ;;
    ${anyOf(fileOptions)})
      mapfile -t COMPREPLY < <(compgen -f -- "$current")
      return
      ;;
    *) return ;;
  esac
  case $current in
    -*)
      case $command in
${options.map(({ command, options: own }) => `        "${command}") offered="${bashList(own)}" ;;`).join("\n")}
      esac
      mapfile -t COMPREPLY < <(compgen -W "$offered ${bashList(GLOBAL_OPTIONS)}" -- "$current")
      return
      ;;
  esac
  case $command:$arguments in
${following.map(({ after, words, file }) => `    "${after}") ${file ? 'mapfile -t COMPREPLY < <(compgen -f -- "$current")' : `offered="${words.map(({ word }) => word).join(" ")}"`} ;;`).join("\n")}
  esac
  if [ -n "$offered" ]; then mapfile -t COMPREPLY < <(compgen -W "$offered" -- "$current"); fi
}
complete -o filenames -F _ghostinbox ghostinbox ./ghostinbox
`;
}

function bashList(options: readonly Option[]): string {
  return options.map(spelled).join(" ");
}

function offeredOf(option: Option): Offered {
  return { word: spelled(option), says: option.says };
}

/** Completion for zsh(1), with a description of each word. */
export function zshCompletion({ leading, following, options, fileOptions, valueOptions }: TypedWords): string {
  return `#compdef ghostinbox ./ghostinbox
# Completion of ghostinbox for zsh, made from the table of its commands.
_ghostinbox() {
  local word command="" value="" arguments=0
  local -a offered
  for word in "\${(@)words[2,CURRENT-1]}"; do
    if [[ -n $value ]]; then
      value=""
      continue
    fi
    case $word in
      (${anyOf([...fileOptions, ...valueOptions])})
        value=$word
        continue
        ;;
      (-*) continue ;;
    esac
    case "$arguments:\${command:+$command }$word" in
      (${anyOf(leading.map((one) => `0:${one}`))}) command="\${command:+$command }$word" ;;
      (*) arguments=$((arguments + 1)) ;;
    esac
  done
  case $value in
    ("") ;;
    (${anyOf(fileOptions)})
      _files
      return
      ;;
    (*) return 1 ;;
  esac
  if [[ \${words[CURRENT]} == -* ]]; then
    case $command in
${options.map(({ command, options: own }) => `      ("${command}") offered=(${zshList(own.map(offeredOf))}) ;;`).join("\n")}
    esac
    offered+=(${zshList(GLOBAL_OPTIONS.map(offeredOf))})
    _describe -o option offered
    return
  fi
  case "$command:$arguments" in
${following.map(({ after, words, file }) => `    ("${after}") ${file ? "_files && return" : `offered=(${zshList(words)})`} ;;`).join("\n")}
  esac
  (( \${#offered} )) && _describe command offered
}
if [[ \${funcstack[1]} == _ghostinbox ]]; then _ghostinbox "$@"; else compdef _ghostinbox ghostinbox ./ghostinbox; fi
`;
}

/** In the format of _describe: `word:description`, with colons escaped. */
function zshList(offered: readonly Offered[]): string {
  return offered
    .map(({ word, says }) => zshQuoted(says === "" ? word : `${word}:${says.replaceAll(":", "\\:")}`))
    .join(GOES_ON);
}

function zshQuoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Completion for fish(1), with a description of each word. */
export function fishCompletion({ leading, following, options, fileOptions, valueOptions }: TypedWords): string {
  return `# Completion of ghostinbox for fish, made from the table of its commands.
function __ghostinbox_offer
    set -l command ""
    set -l value ""
    set -l arguments 0
    for word in (commandline -opc)[2..-1]
        if test -n "$value"
            set value ""
            continue
        end
        switch $word
            case ${quotedAll([...fileOptions, ...valueOptions])}
                set value $word
                continue
            case '-*'
                continue
        end
        set -l longer (string trim -- "$command $word")
        if test $arguments = 0; and contains -- "$longer" ${quotedAll(leading)}
            set command $longer
        else
            set arguments (math $arguments + 1)
        end
    end
    switch "$value"
        case ''
        case ${quotedAll(fileOptions)}
            __fish_complete_path (commandline -ct)
            return
        case '*'
            return
    end
    if string match -q -- '-*' (commandline -ct)
        switch "$command"
${options.map(({ command, options: own }) => (own.length === 0 ? "" : `            case '${command}'\n                printf '%s\\t%s\\n' ${fishList(own.map(offeredOf))}\n`)).join("")}        end
        printf '%s\\t%s\\n' ${fishList(GLOBAL_OPTIONS.map(offeredOf))}
        return
    end
    switch "$command:$arguments"
${following.map(({ after, words, file }) => `        case '${after}'\n            ${file ? "__fish_complete_path (commandline -ct)" : `printf '%s\\t%s\\n' ${fishList(words)}`}\n`).join("")}    end
end
complete -c ghostinbox -f -a '(__ghostinbox_offer)'
`;
}

/** Pairs for printf: a word and its description. */
function fishList(offered: readonly Offered[]): string {
  return offered.map(({ word, says }) => `${fishQuoted(word)} ${fishQuoted(says)}`).join(GOES_ON);
}

function quotedAll(words: readonly string[]): string {
  return words.map(fishQuoted).join(GOES_ON);
}

function fishQuoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}

const SHELLS: Readonly<Record<string, (words: TypedWords) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
};

/** `completion SHELL`: prints the script with which that shell completes commands and options. */
export function completion(call: Call, commands: readonly Command[]): Answer {
  const [shell = ""] = call.args;
  const script = Object.hasOwn(SHELLS, shell) ? SHELLS[shell] : undefined;
  if (script === undefined)
    return wrongUsage(`No completion exists for ${shell}.`, `\`${PROGRAM} completion bash\`, zsh or fish.`);
  const text = script(typedWords(commands)).trimEnd();
  return done({ shell, script: text }, text);
}
