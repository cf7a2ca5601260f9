import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { test } from "node:test";
import { temporaryLayout } from "../../../test/kit/temporary-directory.ts";
import { preparing, runLong } from "./databases.ts";

test("while a slow program runs there are repeated messages, and then it ends like any other", async () => {
  const reported: number[] = [];
  const work = { waits: (ms: number) => void reported.push(ms), isStopped: () => false, patienceMs: 50 };
  // It runs until the second message.
  const ran = runLong("sh", ["-c", "read -r line; echo $line; exit 3"], { input: later(reported) }, work);
  assert.deepEqual({ ...(await ran), stderr: "" }, { code: 3, stdout: "done\n", stderr: "" });
  assert.ok(reported.length >= 2 && (reported[0] ?? 0) >= 50, reported.join());
});

async function* later(reported: readonly number[]): AsyncGenerator<string> {
  while (reported.length < 2) await new Promise((resolve) => setImmediate(resolve));
  yield "done\n";
}

test("ends the program when asked to stop", async () => {
  const work = { waits: () => undefined, isStopped: () => true, patienceMs: 20 };
  assert.equal((await runLong("sleep", ["60"], {}, work)).code, 124);
});

test("the progress messages have the time, and how much of a damaged database could be read", () => {
  const layout = temporaryLayout("engineDb");
  assert.equal(preparing(layout, 5_000), "The databases are being prepared: 5 s …");
  writeFileSync(`${layout.engineDb}.new`, Buffer.alloc(3_000_000));
  assert.equal(preparing(layout, 65_000), "The databases are being prepared: 65 s, 3 MB saved …");
});
