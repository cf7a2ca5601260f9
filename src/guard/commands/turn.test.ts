import assert from "node:assert/strict";
import { test } from "node:test";
import type { Reply } from "../../admin/declare/control.ts";
import { Turn } from "./turns.ts";

const DONE: Reply = { ok: true, result: { done: true } };
const ANNA = { item: { how: "token", name: "anna" } } as const;
const BEN = { item: { how: "token", name: "ben" } } as const;

test("one command runs at a time, some wait, even behind one that fails, and more are refused", async () => {
  const turn = new Turn({ most: 2, ofOne: 2, busy: "Busy." });
  const gate = Promise.withResolvers<Reply>();
  const order: string[] = [];
  const first = turn.take(ANNA, () => gate.promise);
  const second = turn.take(ANNA, () => {
    order.push("second");
    return DONE;
  });
  assert.deepEqual(
    turn.take(ANNA, () => DONE),
    { ok: false, kind: "failed", message: "Busy.", next: "Try again in a few seconds." },
  );
  await new Promise(setImmediate);
  assert.deepEqual(order, []);
  gate.reject(new Error("broken"));
  await assert.rejects(Promise.resolve(first), /broken/);
  assert.deepEqual(await second, DONE);
  assert.deepEqual(await turn.take(ANNA, () => DONE), DONE);
});

test("a caller who fills its places leaves the other places free, and gets back each that it had", async () => {
  const turn = new Turn({ most: 3, ofOne: 2, busy: "Busy." });
  const gate = Promise.withResolvers<Reply>();
  const waiting: (Promise<Reply> | Reply)[] = [turn.take(ANNA, () => gate.promise), turn.take(ANNA, () => DONE)];
  assert.equal((await turn.take(ANNA, () => DONE)).ok, false);
  waiting.push(turn.take(BEN, () => DONE));
  const root = turn.take(null, () => DONE);
  gate.resolve(DONE);
  for (const reply of [...waiting, root]) assert.ok((await reply).ok);
  for (const again of [turn.take(ANNA, () => DONE), turn.take(ANNA, () => DONE)]) assert.ok((await again).ok);
});
