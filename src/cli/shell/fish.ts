import { GOES_ON, type Offered, spelled, type TypedWords } from "./typed-words.ts";

/** Completion for fish(1), with a description of each word. */
export function fishCompletion({ leading, following, options, fileOptions, valueOptions }: TypedWords): string {
  const described = options.map(({ command, options: own }) => ({
    command,
    list: listOf(own.map((option) => ({ word: spelled(option), says: option.says }))),
  }));
  const [globals, ...commands] = described;
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
${commands.map(({ command, list }) => (list === "" ? "" : `            case '${command}'\n                printf '%s\\t%s\\n' ${list}\n`)).join("")}        end
        printf '%s\\t%s\\n' ${globals?.list ?? ""}
        return
    end
    switch "$command:$arguments"
${following.map(({ after, words, file }) => `        case '${after}'\n            ${file ? "__fish_complete_path (commandline -ct)" : `printf '%s\\t%s\\n' ${listOf(words)}`}\n`).join("")}    end
end
complete -c ghostinbox -f -a '(__ghostinbox_offer)'
`;
}

/** Pairs for printf: a word and its description. */
function listOf(offered: readonly Offered[]): string {
  return offered.map(({ word, says }) => `${quoted(word)} ${quoted(says)}`).join(GOES_ON);
}

function quotedAll(words: readonly string[]): string {
  return words.map(quoted).join(GOES_ON);
}

function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
