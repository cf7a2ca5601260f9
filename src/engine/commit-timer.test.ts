import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as nextTurn, setTimeout as pause } from "node:timers/promises";
import { CommitTimer } from "./commit-timer.ts";

test("a commit that is due comes once at the end of the turn, and again after the transaction has ended", async () => {
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

test("a commit that can wait comes when the time is up, again and again", async () => {
  let commits = 0;
  const timer = new CommitTimer(() => (commits += 1));
  for (let round = 1; round <= 2; round++) {
    for (let i = 0; i < 3; i++) timer.later();
    const deadline = performance.now() + 10_000;
    while (commits < round) {
      assert.ok(performance.now() < deadline, "waited in vain");
      await pause(1);
    }
    assert.equal(commits, round);
  }
});
