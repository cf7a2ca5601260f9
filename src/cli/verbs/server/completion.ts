import { type CommandCall, type CommandOutcome, done, PROGRAM, wrongUsage } from "../../call.ts";
import { bashCompletion } from "../../shell/bash.ts";
import { fishCompletion } from "../../shell/fish.ts";
import { type Command, type TypedWords, typedWords } from "../../shell/typed-words.ts";
import { zshCompletion } from "../../shell/zsh.ts";

const SHELLS: Readonly<Record<string, (words: TypedWords) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
};

/** `completion SHELL`: prints the script with which that shell completes commands and options. */
export function completion(call: CommandCall, commands: readonly Command[]): CommandOutcome {
  const [shell = ""] = call.args;
  const script = Object.hasOwn(SHELLS, shell) ? SHELLS[shell] : undefined;
  if (script === undefined)
    return wrongUsage(`No completion exists for ${shell}.`, `\`${PROGRAM} completion bash\`, zsh or fish.`);
  const text = script(typedWords(commands)).trimEnd();
  return done({ shell, script: text }, text);
}
