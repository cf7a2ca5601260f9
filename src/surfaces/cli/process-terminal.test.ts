import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import { lacking } from "../../../test/kit/needs.ts";
import { type Finished, start, TIMED } from "../../../test/kit/test-guard.ts";
import { layoutOf } from "../../settings/layout.ts";

const LAYOUT = layoutOf("/nonexistent");

/** A program that prints the result of one call of its terminal as JSON. */
function program(call: string): readonly string[] {
  const module = JSON.stringify(join(import.meta.dirname, "process-terminal.ts"));
  const script = `
    import { createProcessTerminal } from ${module};
    const terminal = createProcessTerminal();
    console.log(JSON.stringify(await ${call}));
    process.exit();`;
  return [process.execPath, "--disable-warning=ExperimentalWarning", "--input-type=module", "-e", script];
}

function started(call: string) {
  const [node = "", ...argv] = program(call);
  return start(LAYOUT, node, argv);
}

describe("lines of standard input", TIMED, () => {
  for (const [input, line] of [
    ["secret\n", "secret"],
    ["secret\r\nsecond\n", "secret"],
    ["secret", "secret"],
    ["", null],
    ["\nsecret\n", null],
    ["0123456789\n", "0123456789"],
    ["0123456789x\n", null],
    ["ööööö\n", "ööööö"],
    ["öööööx\n", null],
    ["x".repeat(100_000), null],
  ] as const)
    test(`${JSON.stringify(input.slice(0, 20))} gives ${JSON.stringify(line)}`, async () => {
      const { child, ended } = started("terminal.readLine(10)");
      child.stdin.end(input);
      const { out, err } = await ended;
      assert.deepEqual([err, JSON.parse(out)], ["", line]);
    });
});

const LONG = '"line ".repeat(1e6)';
const WAITS = "new Promise((resolve) => setTimeout(resolve, 9_000))";
/** Prints at the end, like a failing command with --json. */
const FAILS = `Promise.resolve().then(() => (terminal.out(${LONG}), 3)).then((code) => ((process.exitCode = code), ${WAITS}))`;
for (const [output, code, says, call] of [
  [
    "> /dev/full",
    1,
    /^The output could not be written: ENOSPC.* What the command changed stays changed\.\n$/,
    `(terminal.out(${LONG}), ${WAITS})`,
  ],
  ["| true", 0, /^$/, `(terminal.out(${LONG}), ${WAITS})`],
  ["| true", 3, /^$/, FAILS],
  ["2>&1 >/dev/null | true", 0, /^$/, `(terminal.err(${LONG}), new Promise((resolve) => setTimeout(resolve)))`],
] as const)
  test(`output that cannot be written (${output}) ends the program with ${code}`, TIMED, async () => {
    const script = `set -o pipefail; "$@" ${output}`;
    const ended = await start(LAYOUT, "bash", ["--norc", "-c", script, "bash", ...program(call)]).ended;
    assert.match(ended.err, says);
    assert.equal(ended.code, code);
  });

describe("a signal", TIMED, () => {
  const signalled = async (call: string, keys: string): Promise<string> => {
    const { child, ended, printed } = started(call);
    await printed("Which? ");
    // It may have exited already.
    if (keys !== "") child.stdin.write(keys);
    return (await ended).out;
  };
  const SIGNAL = 'process.kill(process.pid, "SIGTERM")';

  test("at a question counts as no answer", async () => {
    assert.equal(await signalled(`(setTimeout(() => ${SIGNAL}), terminal.ask("Which? "))`, ""), "null\n");
  });

  test("after the question it ends the program", async () => {
    const later = "new Promise((resolve) => setTimeout(resolve, 2_000))";
    assert.equal(await signalled(`terminal.ask("Which? ").then(() => ${SIGNAL}).then(() => ${later})`, "yes\n"), "");
  });
});

describe("a terminal", { ...TIMED, skip: lacking({ installed: ["script"] }) }, () => {
  /** The output after these keys were pressed at the question. */
  const typed = async (call: string, keys: string): Promise<Finished> => {
    const quoted = program(call).map((word) => `'${word.replaceAll("'", `'\\''`)}'`);
    const { child, ended, printed } = start(LAYOUT, "script", ["-qec", quoted.join(" "), "/dev/null"]);
    await printed("Which? ");
    child.stdin.write(keys);
    return ended;
  };

  test("asks without echo; Backspace, Ctrl-U and Enter work as usual", async () => {
    const { out } = await typed('terminal.askSecret("Which? ")', "wrong\x15secrat\x7f\x7fet\r");
    assert.match(out, /^Which\? \r\n"secret"\r\n$/);
  });

  test("Ctrl-C at a secret counts as no answer", async () => {
    assert.match((await typed('terminal.askSecret("Which? ")', "secr\x03")).out, /\r\nnull\r\n$/);
  });

  test("accepts both secrets pasted at once", async () => {
    const both = '[await terminal.askSecret("Which? "), await terminal.askSecret("Again? ")]';
    assert.match((await typed(both, "one\rtwo\r")).out, /\["one","two"\]/);
  });

  test("asks with echo", async () => {
    assert.match((await typed('terminal.ask("Which? ")', "this one\r")).out, /this one[^]*"this one"\r\n$/);
  });

  test("progress is one line, removed before the next text", async () => {
    const call =
      '(terminal.progress("1 of 2"), terminal.progress("2 of 2"), terminal.err("Which? "), terminal.ask(""))';
    const { out } = await typed(call, "\r");
    assert.ok(out.startsWith("\r\x1b[K1 of 2 \r\x1b[K2 of 2 \r\x1b[KWhich? "), JSON.stringify(out));
  });
});

test("many calls of `outForGood` cause no warning", TIMED, async () => {
  const { out, err } = await started('Array.fromAsync("123456789012", terminal.outForGood)').ended;
  const outcomes = Array.from("123456789012", () => ({ ok: true }));
  assert.deepEqual([err, out.split("\n").at(-2)], ["", JSON.stringify(outcomes)]);
});

test("shows no progress without a terminal", TIMED, async () => {
  assert.equal((await started('terminal.progress("1 of 2")').ended).err, "");
});
