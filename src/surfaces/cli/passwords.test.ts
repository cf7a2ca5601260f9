import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ROOT } from "../../../test/kit/needs.ts";
import { scriptCall } from "../../../test/kit/script-world.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { PASSWORD } from "../../../test/kit/test-guard.ts";
import { parseAccountName } from "../../core/net/address.ts";
import { layoutOf } from "../../settings/layout.ts";
import { verifyPassword } from "../../store/passwords/password-hash.ts";
import type { Call, Terminal } from "./call.ts";
import { judgeFollowed, newPasswordHash, secretFrom, weakLines } from "./passwords.ts";

const LAYOUT = layoutOf("/nonexistent");
const ANNA = parseAccountName("anna@example.org");

/** A call with this input, or these answers at a terminal; null: interrupted, or no input. */
function call(typed: Readonly<{ line?: string | null; answers?: readonly (string | null)[] }>): Call {
  const answers = [...(typed.answers ?? [])];
  return scriptCall({
    layout: LAYOUT,
    flags: typed.line === undefined ? [] : ["password-stdin"],
    terminal: {
      interactive: typed.answers !== undefined,
      readLine: () => Promise.resolve(typed.line ?? null),
      askSecret: () => Promise.resolve(answers.shift() ?? null),
    },
  });
}

test("hashes a password from standard input or typed twice", async () => {
  for (const given of [{ line: PASSWORD }, { answers: [PASSWORD, PASSWORD] }]) {
    const made = await newPasswordHash(call(given), ANNA);
    assert.ok(made.ok && (await verifyPassword(made.hash, PASSWORD)));
  }
});

test("a missing password, or two different ones, changes nothing", async () => {
  for (const [typed, exit, says] of [
    [{ line: null }, "failed", /^The first line of standard input held no password of at most 512 bytes\./],
    [{}, "wrong_usage", /^No terminal to ask for a password\./],
    [{ answers: [null] }, "failed", /^Interrupted: nothing was changed\./],
    [{ answers: [PASSWORD, null] }, "failed", /^Interrupted: nothing was changed\./],
    [{ answers: [PASSWORD, "another one, too"] }, "failed", /^The two passwords differ: nothing was changed\./],
  ] as const) {
    const problem = await newPasswordHash(call(typed), ANNA);
    assert.ok(!problem.ok);
    assert.equal(problem.exit, exit);
    assert.match(problem.message, says);
  }
});

test("reads a secret from a pipe without a prompt, but not from a terminal that would echo it", async () => {
  const from = (terminal: Partial<Terminal>) => secretFrom(scriptCall({ layout: LAYOUT, terminal }), "Key");
  assert.equal(await from({ readLine: () => Promise.resolve("secret") }), "secret");
  const askSecret = (question: string) => Promise.resolve(question);
  assert.equal(await from({ interactive: true, askSecret }), "Key (not shown): ");
  const refused = await from({ inputIsTerminal: true });
  assert.equal(typeof refused !== "string" && refused.exit, "wrong_usage");
});

test("refuses a password that is easy to guess, with the reason", async () => {
  const problem = await newPasswordHash(call({ line: "my name is anna" }), ANNA);
  assert.ok(!problem.ok);
  assert.match(problem.message, /name of the account/);
  assert.equal(problem.next, "Choose another one: several unrelated words make a good one.");
});

test("judges clear-text passwords in the followed file, but not hashes or other accounts", ROOT, async () => {
  const path = join(temporaryDirectory(), "postfix-accounts.cf");
  const [anna, bert] = ["anna@example.org|{PLAIN}anna1234", "bert@example.org|{PLAIN}seven quiet llamas rowing"];
  const cara = `cara@example.org|{SHA512-CRYPT}$6$saltsalt$${"a".repeat(86)}`;
  writeFileSync(path, [anna, bert, cara, "dora@example.org|{PLAIN}x\n"].join("\n"));
  const accounts = ["anna", "bert", "cara"].map((name) => ({ name: `${name}@example.org`, origin: "listed" }) as const);
  const found = await judgeFollowed(path, [...accounts, { name: "dora@example.org", origin: "command" }]);
  assert.deepEqual([...found.judged], ["anna@example.org", "bert@example.org"]);
  assert.deepEqual([...found.weak.keys()], ["anna@example.org"]);
  const lines = /^\nWeak passwords in the accounts file, .*:\n {2}anna@example\.org: The password is too short/;
  assert.match(weakLines(found.weak).join("\n"), lines);
  assert.deepEqual(weakLines((await judgeFollowed("", accounts)).weak), []);
  assert.equal((await judgeFollowed(join(path, "none"), accounts)).judged.size, 0);
});
