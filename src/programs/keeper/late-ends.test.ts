import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { HandClock } from "../../../test/kit/engine-kit.ts";
import { accountName } from "../../../test/kit/samples.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { SECOND_MS } from "../../core/time.ts";
import { createLateEnds } from "./late-ends.ts";

const ANNA = accountName("anna@example.test");
const BERT = accountName("bert@example.test");

function kit() {
  const file = join(temporaryDirectory(), "late-ends.json");
  const clock = new HandClock();
  const ended: string[] = [];
  let failure: Error | null = null;
  const end = async (accounts: ReadonlySet<string>): Promise<void> => {
    if (failure !== null) throw failure;
    ended.push([...accounts].join(" "));
  };
  const start = () => createLateEnds(file, clock, end);
  const lookAfter = async (ends: ReturnType<typeof createLateEnds>, seconds: number): Promise<void> => {
    clock.advance(seconds * SECOND_MS);
    await ends.look();
  };
  return { file, ended, start, lookAfter, failWith: (next: Error | null) => void (failure = next) };
}

test("sessions end again after 15 s and after three minutes, all that are due together", async () => {
  const { ended, start, lookAfter } = kit();
  const ends = start();
  ends.add(ANNA);
  ends.add(BERT);
  await lookAfter(ends, 14);
  assert.deepEqual(ended, []);
  await lookAfter(ends, 1);
  await lookAfter(ends, 164);
  assert.deepEqual(ended, [`${ANNA} ${BERT}`]);
  await lookAfter(ends, 1);
  await lookAfter(ends, 1_000);
  assert.deepEqual(ended, [`${ANNA} ${BERT}`, `${ANNA} ${BERT}`]);
});

test("a second new password starts the wait again", async () => {
  const { ended, start, lookAfter } = kit();
  const ends = start();
  ends.add(ANNA);
  await lookAfter(ends, 15);
  ends.add(ANNA);
  await lookAfter(ends, 15);
  await lookAfter(ends, 164);
  assert.equal(ended.length, 2);
  await lookAfter(ends, 1);
  assert.equal(ended.length, 3);
});

test("a restarted keeper ends the sessions too, but not those that were ended again already", async () => {
  const { ended, start, lookAfter } = kit();
  start().add(ANNA);
  const second = start();
  await lookAfter(second, 15);
  await lookAfter(second, 165);
  assert.deepEqual(ended, [ANNA, ANNA]);
  await lookAfter(start(), 1_000);
  assert.equal(ended.length, 2);
});

test("a failure is logged once, and each check tries again", async (t) => {
  const { ended, start, lookAfter, failWith } = kit();
  const ends = start();
  ends.add(ANNA);
  failWith(new Error("doveadm who failed"));
  const logged = t.mock.method(console, "error", () => undefined);
  await lookAfter(ends, 15);
  await lookAfter(ends, 1);
  const lines = logged.mock.calls.map(({ arguments: [line] }) => String(line));
  assert.deepEqual(lines, ["keeper: IMAP sessions may still be open: doveadm who failed"]);
  failWith(null);
  await lookAfter(ends, 1);
  assert.deepEqual(ended, [ANNA]);
});

test("a file that cannot be written keeps no session open", async (t) => {
  const { file, ended, start, lookAfter } = kit();
  mkdirSync(file);
  const logged = t.mock.method(console, "error", () => undefined);
  const ends = start();
  ends.add(ANNA);
  assert.equal(logged.mock.callCount(), 1);
  await lookAfter(ends, 15);
  assert.deepEqual(ended, [ANNA]);
});
