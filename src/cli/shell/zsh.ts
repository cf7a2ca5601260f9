import { anyOf, GOES_ON, type Offered, spelled, type TypedWords } from "./typed-words.ts";

/** Completion for zsh(1), with a description of each word. */
export function zshCompletion({ leading, following, options, fileOptions, valueOptions }: TypedWords): string {
  const described = options.map(({ command, options: own }) => ({
    command,
    list: listOf(own.map((option) => ({ word: spelled(option), says: option.says }))),
  }));
  const [globals, ...commands] = described;
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
${commands.map(({ command, list }) => `      ("${command}") offered=(${list}) ;;`).join("\n")}
    esac
    offered+=(${globals?.list ?? ""})
    _describe -o option offered
    return
  fi
  case "$command:$arguments" in
${following.map(({ after, words, file }) => `    ("${after}") ${file ? "_files && return" : `offered=(${listOf(words)})`} ;;`).join("\n")}
  esac
  (( \${#offered} )) && _describe command offered
}
if [[ \${funcstack[1]} == _ghostinbox ]]; then _ghostinbox "$@"; else compdef _ghostinbox ghostinbox ./ghostinbox; fi
`;
}

/** In the format of _describe: \`word:description\`, with colons escaped. */
function listOf(offered: readonly Offered[]): string {
  return offered
    .map(({ word, says }) => quoted(says === "" ? word : `${word}:${says.replaceAll(":", "\\:")}`))
    .join(GOES_ON);
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
