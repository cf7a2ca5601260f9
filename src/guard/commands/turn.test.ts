import assert from "node:assert/strict";
import { test } from "node:test";
import type { Reply } from "../../admin/declare/control.ts";
import { Turn } from "./turns.ts";

const DONE: Reply = { ok: true, result: { done: true } };

test("one command runs at a time, some wait, even behind one that fails, and more are refused", async () => {
  const turn = new Turn(2, "Busy.");
  const gate = Promise.withResolvers<Reply>();
  const order: string[] = [];
  const first = turn.take(() => gate.promise);
  const second = turn.take(() => {
    order.push("second");
    return DONE;
  });
  assert.deepEqual(
    turn.take(() => DONE),
    { ok: false, kind: "failed", message: "Busy.", next: "Try again in a few seconds." },
  );
  await new Promise(setImmediate);
  assert.deepEqual(order, []);
  gate.reject(new Error("broken"));
  await assert.rejects(Promise.resolve(first), /broken/);
  assert.deepEqual(await second, DONE);
  assert.deepEqual(await turn.take(() => DONE), DONE);
});
