import assert from "node:assert/strict";
import { test } from "node:test";
import { HandClock } from "../../../test/kit/engine-kit.ts";
import { NOON } from "../../../test/kit/samples.ts";
import { Remembered } from "./upkeep.ts";

test("callers within a time share one answer; after a failure the next caller asks again at once", async () => {
  const clock = new HandClock(NOON);
  const remembered = new Remembered<Readonly<{ ok: boolean; nth: number }>>(clock, { lastsMs: 1_000 });
  let asked = 0;
  const get = (ok: boolean) => remembered.get(() => Promise.resolve({ ok, nth: (asked += 1) }));
  const failed = [await get(false), await get(false)].map(({ nth }) => nth);
  const [one, other] = await Promise.all([get(true), get(true)]);
  clock.advance(999);
  assert.deepEqual([...failed, one.nth, other.nth, (await get(true)).nth], [1, 2, 3, 3, 3]);
  clock.advance(1);
  assert.equal((await get(true)).nth, 4);
});

test("an error is thrown to all who wait for it, and the next caller asks again", async () => {
  const remembered = new Remembered<Readonly<{ ok: true }>>(new HandClock(NOON), { lastsMs: 1_000 });
  const broken = () => Promise.reject(new Error("broken"));
  await Promise.all([1, 2].map(() => assert.rejects(remembered.get(broken), /broken/)));
  assert.deepEqual(await remembered.get(() => Promise.resolve({ ok: true })), { ok: true });
});

test("if asking is expensive, a failure is also remembered for a while, from when it was known", async () => {
  const clock = new HandClock(NOON);
  const remembered = new Remembered<Readonly<{ ok: boolean; nth: number }>>(clock, { lastsMs: 1_000, failureMs: 300 });
  let asked = 0;
  const get = () =>
    remembered.get(() => {
      clock.advance(500);
      return Promise.resolve({ ok: false, nth: (asked += 1) });
    });
  assert.equal((await get()).nth, 1);
  clock.advance(299);
  assert.equal((await get()).nth, 1);
  clock.advance(1);
  assert.equal((await get()).nth, 2);
});
