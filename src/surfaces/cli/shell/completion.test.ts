import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { lacking } from "../../../../test/kit/needs.ts";
import { temporaryDirectory } from "../../../../test/kit/temporary-directory.ts";
import { typed } from "../../../../test/kit/typed-command.ts";
import { CHECKOUT } from "../../../host/running/checkout.ts";
import { commands } from "../commands.ts";
import { GLOBAL_OPTIONS } from "../parse.ts";

/** `offer` prints what the shell offers for the last of these words. */
type Shell = Readonly<{ options: readonly string[]; before?: string; offer: (words: readonly string[]) => string }>;

/** The shell's own functions work only during typing; these replacements print what they would show. */
const ZSH = `compdef() { }
_files() { print -l -- \${words[CURRENT]}*(N) }
_describe() { local one; for one in "\${(@P)@[-1]}"; do [[ $one == \${words[CURRENT]}* ]] && print -r -- "\${one%%:*}"; done }
`;

const SHELLS: Readonly<Record<string, Shell>> = {
  bash: {
    options: ["-c"],
    offer: (words) =>
      `(COMP_WORDS=(${quoted(words)}) COMP_CWORD=${words.length - 1}; _ghostinbox; printf "%s\\n" "\${COMPREPLY[@]}")`,
  },
  zsh: {
    options: ["-f", "-c"],
    before: ZSH,
    offer: (words) => `(words=(${quoted(words)}); CURRENT=${words.length}; _ghostinbox; true)`,
  },
  fish: { options: ["-N", "-c"], offer: (words) => `complete -C ${quoted([words.join(" ")])}` },
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
  ["account a", ["add", "app-password"]],
  ["--data /srv/mail --json account ap", ["app-password"]],
  ["ban 203.0.113.7 --", ["--for", "--permanent", "--yes", ...globals]],
  [`account import ${lone}/acc`, [listed]],
  ["stop ", []],
];

for (const [shell, { options, before = "", offer }] of Object.entries(SHELLS))
  test(`${shell} completes what the program lists`, { skip: lacking({ installed: [shell] }) }, async () => {
    const script = join(place, shell);
    writeFileSync(script, (await answer(`completion ${shell}`)).join("\n"));
    const offers = TYPED.map(([line]) => `${offer(["ghostinbox", ...line.split(" ")])}\necho +++++`);
    const argv = [...options, [`${before}source ${script}`, ...offers].join("\n")];
    const env = { PATH: `${CHECKOUT}:${process.env["PATH"]}`, HOME: place, LC_ALL: "C.UTF-8" };
    const offered = execFileSync(shell, argv, { encoding: "utf8", env }).split("+++++\n");
    for (const [i, [line, expected]] of TYPED.entries()) {
      const words = offered[i]?.split("\n").map((word) => word.split("\t")[0]?.trim() ?? "");
      assert.deepEqual(words?.filter((word) => word !== "").toSorted(), expected.toSorted(), line);
    }
  });

test("lists what may take the place of the last word, and a slash for a file", async () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ["account ", [...new Set(accounts)]],
    ["account app-password ", ["add", "list", "remove"]],
    ["ban 203.0.113.7 --for ", []],
    ["ban 203.0.113.7 --for = ", []],
    ["account networks anna@example.org ", ["add", "list", "remove"]],
    ["account networks ", []],
    ["account quota anna@example.org ", ["none", "default"]],
    ["completion ", ["bash", "fish", "zsh"]],
    ["help account app-password ", ["add", "list", "remove"]],
    ["help completion ", []],
    ["account import ", ["/"]],
    ["--data ", ["/"]],
  ];
  for (const [line, expected] of cases) {
    const words = (await answer(`completion bash -- ${line}`)).map((one) => one.split(" ")[0] ?? "");
    assert.deepEqual(words.filter((word) => word !== "").toSorted(), expected.toSorted(), line);
  }
});

test("lists each word of each command after the words before it, with its description", async () => {
  for (const { name, says } of commands) {
    const words = name.split(" ");
    for (const [at, word] of words.entries()) {
      const lines = await answer(`completion fish -- ${[...words.slice(0, at), ""].join(" ")}`);
      const [line, ...others] = lines.filter((one) => one.startsWith(`${word} `));
      assert.deepEqual(others, [], name);
      assert.ok(at < words.length - 1 ? line !== undefined : line === `${word} ${says}`, `${name}: ${line}`);
    }
  }
});

test("another shell is wrong usage", async () => {
  const { code, err } = await typed("completion csh", () => assert.fail("it asks no guard"));
  assert.deepEqual([code, /No completion exists for csh\./.test(err)], [2, true]);
});

async function answer(line: string): Promise<readonly string[]> {
  const { code, out } = await typed(line, () => assert.fail("it asks no guard"));
  assert.equal(code, 0);
  return out.split("\n");
}

function quoted(words: readonly string[]): string {
  return words.map((word) => `'${word}'`).join(" ");
}
