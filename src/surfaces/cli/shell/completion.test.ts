import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { lacking } from "../../../../test/kit/needs.ts";
import { temporaryDirectory } from "../../../../test/kit/temporary-directory.ts";
import { typed } from "../../../../test/kit/typed-command.ts";
import { commands } from "../commands.ts";
import { GLOBAL_OPTIONS } from "../parse.ts";
import { bashCompletion, fishCompletion, zshCompletion } from "./completion.ts";
import { type TypedWords, typedWords } from "./typed-words.ts";

/** What a shell offers for the last of these words. */
type Completer = (script: string, words: readonly string[]) => string;
type Shell = Readonly<{ make: (words: TypedWords) => string; complete: Completer }>;

const BASH =
  'source "$1"; shift; COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _ghostinbox; printf "%s\\n" "${COMPREPLY[@]}"';
/** Its own functions work only while someone types: these print what they would show. */
const ZSH = `
compdef() { }
_files() { print -l -- \${words[CURRENT]}*(N) }
_describe() { local one; for one in "\${(@P)@[-1]}"; do [[ $one == \${words[CURRENT]}* ]] && print -r -- "\${one%%:*}"; done }
source "$1"; shift; words=("$@"); CURRENT=$#; _ghostinbox; true`;
const FISH = 'source $argv[1]; complete -C "$argv[2..-1]"';

const SHELLS: Readonly<Record<string, Shell>> = {
  bash: { make: bashCompletion, complete: (script, words) => ran("bash", ["-c", BASH, "bash", script, ...words]) },
  zsh: { make: zshCompletion, complete: (script, words) => ran("zsh", ["-f", "-c", ZSH, "zsh", script, ...words]) },
  fish: { make: fishCompletion, complete: (script, words) => ran("fish", ["-N", "-c", FISH, script, ...words]) },
};

const accounts = commands.flatMap(({ name }) => /^account (\S+)/.exec(name)?.[1] ?? []);
const globals = GLOBAL_OPTIONS.map(({ name }) => `--${name}`);
const place = temporaryDirectory();
const lone = join(place, "lone");
mkdirSync(lone);
const listed = join(lone, "accounts.cf");
writeFileSync(listed, "");

/** The words typed after the program, and what may take the place of the last one. */
const TYPED: readonly (readonly [string, readonly string[]])[] = [
  ["account ", [...new Set(accounts)]],
  ["account a", ["add", "app-password"]],
  ["account app-password ", ["add", "list", "remove"]],
  ["--data /srv/mail --json account ap", ["app-password"]],
  ["spam allow ", ["add", "list", "remove"]],
  ["ban 203.0.113.7 --", ["--for", "--permanent", "--yes", ...globals]],
  ["ban 203.0.113.7 --for ", []],
  ["account networks anna@example.org ", ["add", "list", "remove"]],
  ["account networks ", []],
  ["completion ", ["bash", "fish", "zsh"]],
  [`account import ${lone}/acc`, [listed]],
  [`--data ${lone}/acc`, [listed]],
  ["stop ", []],
];

for (const [shell, { make, complete }] of Object.entries(SHELLS))
  describe(shell, { skip: lacking({ installed: [shell] }) }, () => {
    for (const [line, expected] of TYPED)
      test(`completes “${line.replace(place, "")}”`, async () => {
        const script = join(place, shell);
        const { code, out } = await typed(`completion ${shell}`, () => assert.fail("it asks no guard"));
        assert.deepEqual([code, out], [0, make(typedWords(commands))]);
        writeFileSync(script, out);
        const offered = complete(script, ["ghostinbox", ...line.split(" ")]);
        const words = offered.split("\n").map((word) => word.split("\t")[0]?.trim() ?? "");
        assert.deepEqual(words.filter((word) => word !== "").toSorted(), expected.toSorted());
      });
  });

test("another shell is wrong usage", async () => {
  const { code, err } = await typed("completion csh", () => assert.fail("it asks no guard"));
  assert.deepEqual([code, /No completion exists for csh\./.test(err)], [2, true]);
});

function ran(program: string, argv: readonly string[]): string {
  return execFileSync(program, argv, {
    encoding: "utf8",
    env: { PATH: process.env["PATH"], HOME: place, LC_ALL: "C.UTF-8" },
  });
}
