import assert from "node:assert/strict";
import { test } from "node:test";
import { oneAfterAnother, unlessRunning } from "./one-after-another.ts";

test("work waits for the work before it, even if that fails", async () => {
  const inTurn = oneAfterAnother();
  const gate = Promise.withResolvers<string>();
  const done: string[] = [];
  const first = inTurn(() => gate.promise).finally(() => done.push("first"));
  const second = inTurn(() => done.push("second"));
  await Promise.resolve();
  assert.deepEqual(done, []);
  gate.reject(new Error("broken"));
  await assert.rejects(first, /broken/);
  await second;
  assert.deepEqual(done, ["first", "second"]);
});

test("work is not started twice at once, and can start again after a failure", async () => {
  const started: string[] = [];
  const gate = Promise.withResolvers<void>();
  const run = unlessRunning((name: string) => {
    started.push(name);
    return gate.promise;
  });
  const first = run("first");
  await run("second");
  gate.reject(new Error("broken"));
  await assert.rejects(first, /broken/);
  await assert.rejects(run("third"), /broken/);
  assert.deepEqual(started, ["first", "third"]);
});
