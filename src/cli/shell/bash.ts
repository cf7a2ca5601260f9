import { anyOf, spelled, type TypedWords } from "./typed-words.ts";

/** Completion for bash(1). Its suggestions depend only on the words, so the Tab key starts no program. */
export function bashCompletion({ leading, following, options, fileOptions, valueOptions }: TypedWords): string {
  const [globals, ...commands] = options.map((one) => ({ ...one, words: one.options.map(spelled).join(" ") }));
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
${commands.map(({ command, words }) => `        "${command}") offered="${words}" ;;`).join("\n")}
      esac
      mapfile -t COMPREPLY < <(compgen -W "$offered ${globals?.words ?? ""}" -- "$current")
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
