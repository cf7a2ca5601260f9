import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { lacking } from "../../../../test/kit/needs.ts";
import { temporaryDirectory } from "../../../../test/kit/temporary-directory.ts";
import { typed } from "../../../../test/kit/typed-command.ts";
import { commands } from "../commands.ts";
import { GLOBAL_OPTIONS } from "../parse.ts";
import { bashCompletion, fishCompletion, zshCompletion } from "./completion.ts";
import { typedWords } from "./typed-words.ts";

/** `offer`: prints what the shell offers for the last of these words. */
type Shell = Readonly<{ make: typeof bashCompletion; options: readonly string[]; before?: string; offer: Offer }>;
type Offer = (words: readonly string[]) => string;

/** Its own functions work only while someone types: these print what they would show. */
const ZSH = `compdef() { }
_files() { print -l -- \${words[CURRENT]}*(N) }
_describe() { local one; for one in "\${(@P)@[-1]}"; do [[ $one == \${words[CURRENT]}* ]] && print -r -- "\${one%%:*}"; done }
`;

const SHELLS: Readonly<Record<string, Shell>> = {
  bash: {
    make: bashCompletion,
    options: ["-c"],
    offer: (words) =>
      `(COMP_WORDS=(${quoted(words)}) COMP_CWORD=${words.length - 1}; _ghostinbox; printf "%s\\n" "\${COMPREPLY[@]}")`,
  },
  zsh: {
    make: zshCompletion,
    options: ["-f", "-c"],
    before: ZSH,
    offer: (words) => `(words=(${quoted(words)}); CURRENT=${words.length}; _ghostinbox; true)`,
  },
  fish: { make: fishCompletion, options: ["-N", "-c"], offer: (words) => `complete -C ${quoted([words.join(" ")])}` },
};

const WORDS = typedWords(commands);
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
  ["account quota anna@example.org ", ["none", "default"]],
  ["completion ", ["bash", "fish", "zsh"]],
  [`account import ${lone}/acc`, [listed]],
  [`--data ${lone}/acc`, [listed]],
  ["stop ", []],
];

for (const [shell, { make, options, before = "", offer }] of Object.entries(SHELLS))
  test(`${shell} completes each word`, { skip: lacking({ installed: [shell] }) }, async () => {
    const script = join(place, shell);
    const { code, out } = await typed(`completion ${shell}`, () => assert.fail("it asks no guard"));
    assert.deepEqual([code, out], [0, make(WORDS)]);
    writeFileSync(script, out);
    const offers = TYPED.map(([line]) => `${offer(["ghostinbox", ...line.split(" ")])}\necho +++++`);
    const argv = [...options, [`${before}source ${script}`, ...offers].join("\n")];
    const env = { PATH: process.env["PATH"], HOME: place, LC_ALL: "C.UTF-8" };
    const offered = execFileSync(shell, argv, { encoding: "utf8", env }).split("+++++\n");
    for (const [i, [line, expected]] of TYPED.entries()) {
      const words = offered[i]?.split("\n").map((word) => word.split("\t")[0]?.trim() ?? "");
      assert.deepEqual(words?.filter((word) => word !== "").toSorted(), expected.toSorted(), line);
    }
  });

test("offers each word of each command after those before it, with its description", () => {
  for (const { name, says } of commands) {
    const wordsOfName = name.split(" ");
    for (const [at, word] of wordsOfName.entries()) {
      const after = `${wordsOfName.slice(0, at).join(" ")}:0`;
      const offered = WORDS.following.find((one) => one.after === after)?.words.find((one) => one.word === word);
      assert.ok(offered !== undefined, `${word} after ${after}`);
      if (at === wordsOfName.length - 1) assert.equal(offered.says, says);
    }
  }
});

test("no two entries are for the same position", () => {
  const places = WORDS.following.map(({ after }) => after);
  assert.equal(new Set(places).size, places.length);
});

test("another shell is wrong usage", async () => {
  const { code, err } = await typed("completion csh", () => assert.fail("it asks no guard"));
  assert.deepEqual([code, /No completion exists for csh\./.test(err)], [2, true]);
});

function quoted(words: readonly string[]): string {
  return words.map((word) => `'${word}'`).join(" ");
}
