import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { CommitTimer } from "./commits.ts";
import { LIMITS } from "./limits.ts";

test("an urgent commit happens once at the end of the turn, and again after the transaction has ended", async () => {
  let commits = 0;
  const timer = new CommitTimer(() => {
    commits += 1;
    timer.ended();
  });
  for (let i = 0; i < 3; i++) timer.soon();
  assert.equal(commits, 0);
  await nextTurn();
  assert.equal(commits, 1);
  timer.soon();
  await nextTurn();
  assert.equal(commits, 2);
});

test("a commit that can wait happens once when the time is over, and again afterwards", async () => {
  const committed: (() => void)[] = [];
  const timer = new CommitTimer(() => committed.shift()?.());
  for (let round = 0; round < 2; round++) {
    const came = new Promise<void>((resolve) => committed.push(resolve));
    for (let i = 0; i < 3; i++) timer.later();
    await came;
  }
  assert.equal(committed.length, 0);
});

test("an earlier commit gives later events their full time", async () => {
  let commits = 0;
  let came = (): void => {};
  const timer = new CommitTimer(() => {
    commits += 1;
    came();
  });
  timer.later();
  await new Promise((resolve) => setTimeout(resolve, LIMITS.uncommittedMs - 2));
  const early = commits;
  timer.ended();
  const from = performance.now();
  const committed = new Promise<void>((resolve) => (came = resolve));
  timer.later();
  await committed;
  // The loop counts in whole milliseconds. A busy machine may have been late with the first.
  assert.ok(early > 0 || performance.now() - from > LIMITS.uncommittedMs - 1.5);
});
