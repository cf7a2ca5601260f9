import assert from "node:assert/strict";
import { test } from "node:test";
import { PASSWORD } from "../../../test/kit/test-guard.ts";
import { parseAccountName } from "../../core/net/address.ts";
import { layoutOf } from "../../settings/layout.ts";
import { verifyPassword } from "../../store/passwords/password-hash.ts";
import type { CommandCall } from "./call.ts";
import { newPasswordHash } from "./passwords.ts";

const ANNA = parseAccountName("anna@example.org");

/** A call with this input, or these answers at a terminal; null: interrupted, or no input. */
function call(typed: Readonly<{ line?: string | null; answers?: readonly (string | null)[] }>): CommandCall {
  const answers = [...(typed.answers ?? [])];
  const terminal = {
    interactive: typed.answers !== undefined,
    readLine: () => Promise.resolve(typed.line ?? null),
    askSecret: () => Promise.resolve(answers.shift() ?? null),
  };
  const never = () => assert.fail("nothing else of the call is used");
  return {
    args: [],
    json: false,
    option: never,
    flag: (name) => name === "password-stdin" && typed.line !== undefined,
    terminal: {
      ...terminal,
      out: never,
      outForGood: () => assert.fail("nothing is shown for good"),
      err: never,
      ask: never,
      progress: never,
      width: null,
      interrupted: new AbortController().signal,
    },
    layout: layoutOf("/nonexistent"),
    env: {},
    guard: { ask: never, watch: never },
    keeper: { ask: never },
    reader: never,
    now: never,
  };
}

test("hashes a password from standard input or typed twice", async () => {
  for (const given of [{ line: PASSWORD }, { answers: [PASSWORD, PASSWORD] }]) {
    const made = await newPasswordHash(call(given), ANNA);
    assert.ok(made.ok && (await verifyPassword(made.hash, PASSWORD)));
  }
});

test("a missing password, or two different ones, changes nothing", async () => {
  const cases: readonly [typed: Parameters<typeof call>[0], exit: string, says: RegExp][] = [
    [{ line: null }, "failed", /^The first line of standard input held no password of at most 512 bytes\. ?/],
    [{}, "wrong_usage", /^No terminal to ask for a password\./],
    [{ answers: [null] }, "failed", /^Interrupted: nothing was changed\./],
    [{ answers: [PASSWORD, null] }, "failed", /^Interrupted: nothing was changed\./],
    [{ answers: [PASSWORD, "another one, too"] }, "failed", /^The two passwords differ: nothing was changed\./],
  ];
  for (const [typed, exit, says] of cases) {
    const problem = await newPasswordHash(call(typed), ANNA);
    assert.ok(!problem.ok);
    assert.equal(problem.exit, exit);
    assert.match(problem.message, says);
  }
});

test("refuses a password that is easy to guess, with the reason", async () => {
  const problem = await newPasswordHash(call({ line: "my name is anna" }), ANNA);
  assert.ok(!problem.ok);
  assert.match(problem.message, /name of the account/);
  assert.equal(problem.next, "Choose another one: several unrelated words make a good one.");
});
