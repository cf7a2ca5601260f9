import assert from "node:assert/strict";
import { test } from "node:test";
import { Turns } from "./shares.ts";

test("the limit runs at once, the others in order, and a failure frees its place", async () => {
  const turns = new Turns(2, 60_000);
  const started: number[] = [];
  const works = [0, 1, 2, 3].map(() => Promise.withResolvers<number>());
  const came = works.map(({ promise }, n) =>
    turns.run(() => {
      started.push(n);
      return promise;
    }),
  );
  await new Promise<void>((resolve) => setImmediate(resolve));
  assert.deepEqual(started, [0, 1]);
  works[1]?.reject(new Error("broken"));
  await assert.rejects(async () => came[1], /broken/);
  works[2]?.resolve(2);
  assert.equal(await came[2], 2);
  works[0]?.resolve(0);
  works[3]?.resolve(3);
  assert.deepEqual([await came[0], await came[3]], [0, 3]);
  assert.deepEqual(started, [0, 1, 2, 3]);
});

test("a caller that waits too long does not run, and takes no place", async () => {
  const turns = new Turns(1, 1);
  const { promise, resolve } = Promise.withResolvers<string>();
  const first = turns.run(() => promise);
  assert.equal(await turns.run(() => assert.fail("not its turn")), "no_turn");
  resolve("done");
  assert.equal(await first, "done");
  assert.equal(await turns.run(() => Promise.resolve("next")), "next");
});
