import assert from "node:assert/strict";
import { test } from "node:test";
import { oneAfterAnother } from "./one-after-another.ts";

test("work waits for the work before it, even for one that fails", async () => {
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
