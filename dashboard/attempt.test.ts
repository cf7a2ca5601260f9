import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { settled } from "../test/kit/until.ts";
import { byForm, forgetToasts, holdToasts, notify, oneAtATime, TOAST_MS, toasts, undoLast } from "./attempt.ts";

const texts = (): readonly string[] => toasts.value.map(({ text }) => text);

function start(t: TestContext): void {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  t.after(() => holdToasts(false));
  t.after(forgetToasts);
}

test("a message disappears after ten seconds", (t) => {
  start(t);
  notify("one");
  t.mock.timers.tick(TOAST_MS - 1);
  notify("two");
  assert.deepEqual(texts(), ["one", "two"]);
  t.mock.timers.tick(1);
  assert.deepEqual(texts(), ["two"]);
});

test("a repeated message shows once, for its whole time; one with an undo stays beside it", (t) => {
  start(t);
  notify("one", { undo: async () => assert.fail("undone") });
  notify("one");
  notify("two");
  notify("two", { tone: "bad" });
  t.mock.timers.tick(TOAST_MS - 1);
  notify("one");
  assert.deepEqual(texts(), ["one", "two", "two", "one"]);
  t.mock.timers.tick(1);
  assert.deepEqual(texts(), ["one"]);
});

test("a message's time does not run while the pointer or the focus is on it, and restarts afterwards", (t) => {
  start(t);
  notify("one");
  t.mock.timers.tick(TOAST_MS - 1);
  holdToasts(true);
  notify("two");
  t.mock.timers.tick(100 * TOAST_MS);
  assert.deepEqual(texts(), ["one", "two"]);
  holdToasts(false);
  t.mock.timers.tick(TOAST_MS - 1);
  assert.deepEqual(texts(), ["one", "two"]);
  t.mock.timers.tick(1);
  assert.deepEqual(texts(), []);
});

test("the key undoes the latest change that has an undo, each once, and later messages crowd none out", (t) => {
  start(t);
  const undone: number[] = [];
  const bans = [1, 2, 3, 4, 5, 6];
  for (const ban of bans) notify("banned", { undo: async () => void undone.push(ban) });
  notify("cannot be undone");
  for (const ban of bans) assert.ok(undoLast(), `${ban}`);
  assert.equal(undoLast(), false);
  assert.deepEqual(undone, bans.toReversed());
  assert.deepEqual(texts(), ["cannot be undone"]);
});

test("no message is left for the next reader", (t) => {
  start(t);
  notify("192.0.2.1 is banned.", { undo: async () => assert.fail("undone") });
  forgetToasts();
  assert.deepEqual([texts(), undoLast()], [[], false]);
});

test("a form shows itself why it was refused, and a message does so only once it is closed", async (t) => {
  start(t);
  const said: string[] = [];
  const once = oneAtATime(() => {});
  const form = { isConnected: true };
  const refuse = (): void =>
    once(
      () => Promise.reject(new Error("refused")),
      byForm(form, ({ text }) => said.push(text)),
    );
  refuse();
  await settled();
  assert.deepEqual([said, texts()], [["refused"], []]);
  form.isConnected = false;
  refuse();
  await settled();
  assert.deepEqual([said, texts()], [["refused"], ["refused"]], "a form that was closed shows nothing");
});

test("one attempt runs at a time; the next may start after it ends or fails", async (t) => {
  start(t);
  const states: boolean[] = [];
  const once = oneAtATime((isBusy) => states.push(isBusy));
  const first = Promise.withResolvers<void>();
  let runs = 0;
  const run = async (): Promise<void> => {
    runs += 1;
    await first.promise;
  };
  once(run);
  once(run);
  assert.deepEqual([runs, states], [1, [true]]);
  first.reject(new Error("refused"));
  await settled();
  assert.deepEqual([texts(), states], [["refused"], [true, false]]);
  once(() => Promise.resolve(void (runs += 1)));
  assert.equal(runs, 2);
});
