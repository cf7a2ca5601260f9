import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as nextTurn, setTimeout as pause } from "node:timers/promises";
import { CommitFeed, CommitTimer } from "./commits.ts";
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

test("a commit that can wait happens once when the time is over, whatever follows, and again afterwards", async () => {
  let commits = 0;
  const timer = new CommitTimer(() => (commits += 1));
  for (const round of [1, 2]) {
    timer.later();
    // Timers of one duration end in the order in which they were set, however busy the machine is.
    const over = pause(LIMITS.uncommittedMs).then(() => true);
    while (!(await Promise.race([over, nextTurn()]))) if (commits < round) timer.later();
    assert.equal(commits, round, "no later event delays it");
  }
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

test("a listener gets each newest event once, until it unsubscribes", () => {
  const feed = new CommitFeed();
  const heard: number[] = [];
  const stop = feed.subscribe((id) => heard.push(id));
  for (const id of [0, 1, 3, 3, 4]) feed.publish(id);
  stop();
  feed.publish(5);
  assert.deepEqual(heard, [1, 3, 4]);
});
