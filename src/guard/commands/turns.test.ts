import assert from "node:assert/strict";
import { test } from "node:test";
import { refusalOf } from "../../../test/kit/commands-kit.ts";
import type { Reply } from "../../admin/declare/control.ts";
import { createQueueShares, createTurn } from "./turns.ts";

const DONE: Reply = { ok: true, result: { done: true } };
const ANNA = { item: { how: "token", name: "anna" } } as const;
const BEN = { item: { how: "token", name: "ben" } } as const;

test("one command runs at a time, some wait, even behind one that fails, and more are refused", async () => {
  const turn = createTurn({ most: 2, ofOne: 2, busy: "Busy." });
  const gate = Promise.withResolvers<Reply>();
  const order: string[] = [];
  const first = turn(ANNA, () => gate.promise);
  const second = turn(ANNA, () => {
    order.push("second");
    return DONE;
  });
  const refused = turn(ANNA, () => DONE);
  assert.deepEqual(refused, { ok: false, kind: "failed", message: "Busy.", next: "Try again in a few seconds." });
  await new Promise(setImmediate);
  assert.deepEqual(order, []);
  gate.reject(new Error("broken"));
  await assert.rejects(Promise.resolve(first), /broken/);
  assert.deepEqual(await second, DONE);
  assert.deepEqual(await turn(ANNA, () => DONE), DONE);
});

test("a caller whose places are full leaves the others free, and each of its places becomes free again", async () => {
  const turn = createTurn({ most: 5, ofOne: 2, busy: "Busy." });
  const [gate, late] = [Promise.withResolvers<Reply>(), Promise.withResolvers<Reply>()];
  const first = turn(ANNA, () => gate.promise);
  const waiting: (Promise<Reply> | Reply)[] = [first, turn(ANNA, () => late.promise)];
  assert.equal((await turn(ANNA, () => DONE)).ok, false);
  waiting.push(turn(BEN, () => DONE));
  const root = turn(null, () => DONE);
  gate.resolve(DONE);
  await first;
  waiting.push(turn(ANNA, () => DONE));
  const refused = turn(ANNA, () => DONE);
  assert.partialDeepStrictEqual(refused, { ok: false });
  late.resolve(DONE);
  for (const reply of [...waiting, root]) assert.ok((await reply).ok);
  for (const again of [turn(ANNA, () => DONE), turn(ANNA, () => DONE)]) assert.ok((await again).ok);
});

test("commands on the queue wait for each other, other commands do not", async () => {
  const shares = createQueueShares({ deletes: () => 7, releases: () => 3, left: () => ({ deletes: 0, releases: 0 }) });
  const order: string[] = [];
  const gate = Promise.withResolvers<Reply>();
  const first = shares({ caller: ANNA, verb: "queue_list", isDry: false }, () => {
    order.push("first");
    return gate.promise;
  });
  const second = shares({ caller: ANNA, verb: "held_drop", isDry: false }, ({ deletes, releases, rounds }) => {
    order.push(`second ${deletes(100)} ${releases(100)} ${rounds}`);
    return DONE;
  });
  const other = shares({ caller: ANNA, verb: "ban", isDry: false }, () => DONE);
  assert.deepEqual(other, DONE);
  await Promise.resolve();
  assert.deepEqual(order, ["first"]);
  gate.resolve(DONE);
  assert.deepEqual([await first, await second], [DONE, DONE]);
  assert.deepEqual(order, ["first", "second 7 3 2"]);
});

test("at most sixteen wait, four of one caller, so that a reader does not keep an administrator from the queue", async () => {
  const shares = createQueueShares({ deletes: () => 0, releases: () => 0, left: () => ({ deletes: 0, releases: 0 }) });
  const gate = Promise.withResolvers<void>();
  const ask = async (name: string) =>
    shares({ caller: { item: { how: "token", name } }, verb: "queue_list", isDry: false }, () =>
      gate.promise.then(() => DONE),
    );
  const waiting = Array.from({ length: 4 }, () => ask("reader"));
  assert.match(refusalOf(await ask("reader")), /Too many commands/);
  waiting.push(...Array.from({ length: 12 }, (_, i) => ask(`administrator ${i % 3}`)));
  assert.equal((await ask("another")).ok, false);
  gate.resolve();
  assert.ok((await Promise.all(waiting)).every(({ ok }) => ok));
  assert.ok((await ask("reader")).ok);
});

test("a dry run is limited by the remaining budget, and uses none of it", async () => {
  const spent = (): number => assert.fail("it counts");
  const shares = createQueueShares({ deletes: spent, releases: spent, left: () => ({ deletes: 700, releases: 2 }) });
  const seen: string[] = [];
  const tried = () =>
    shares({ caller: ANNA, verb: "queue_delete", isDry: true }, ({ deletes, releases, rounds }) => {
      seen.push([deletes(500), deletes(500), deletes(1), releases(5), rounds].join(" "));
      return DONE;
    });
  await Promise.all([tried(), tried()]);
  assert.deepEqual(seen, ["500 200 0 2 2", "500 200 0 2 2"]);
});
