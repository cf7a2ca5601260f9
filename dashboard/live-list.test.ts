import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { settled } from "../test/kit/until.ts";
import { type HeldRows, heldRows, type ListPage, openList } from "./live-list.ts";

type Rows = ListPage<string>;

/** A list whose answers are given by hand. */
function start(t: TestContext) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const over = new AbortController();
  const asked: Readonly<{ resolve: (answer: Rows) => void; reject: (error: Error) => void }>[] = [];
  const follower = { refresh: (): void => assert.fail("it does not follow yet"), hasLeft: false };
  const read = (): Promise<Rows> => {
    const { promise, ...one } = Promise.withResolvers<Rows>();
    asked.push(one);
    return promise;
  };
  const follow = (refresh: () => void): (() => void) => {
    follower.refresh = refresh;
    return () => (follower.hasLeft = true);
  };
  const opened = openList<string, Rows>({ read, keyOf: (item) => item, follows: [follow] }, over.signal);
  const answer = async (...items: readonly string[]): Promise<void> => {
    asked.at(-1)?.resolve({ items, next: "more" });
    await settled();
  };
  const pass = (): void => t.mock.timers.tick(1_000);
  return { over, asked, opened, answer, follower, pass, refresh: () => follower.refresh() };
}

test("a list follows news before it is read, and is read again only now and then, however much is new", async (t) => {
  const { answer, asked, opened, refresh, pass } = start(t);
  await answer("b", "a");
  const list = await opened;
  refresh();
  refresh();
  assert.equal(asked.length, 1);
  pass();
  assert.equal(asked.length, 2);
  await answer("c", "b");
  for (const items of [list.rows.shown.value, list.latest.value?.items]) assert.deepEqual(items, ["c", "b"]);
  pass();
  assert.equal(asked.length, 2);
});

test("a change while an answer is awaited is read after it", async (t) => {
  const { answer, asked, opened, refresh, pass } = start(t);
  refresh();
  pass();
  pass();
  assert.equal(asked.length, 1);
  await answer("a");
  pass();
  assert.equal(asked.length, 2);
  await answer("b");
  assert.deepEqual((await opened).rows.shown.value, ["b"]);
});

test("a list that could not be read again says so and stays, and recovers with the next answer", async (t) => {
  const { answer, asked, opened, refresh, pass } = start(t);
  await answer("a");
  const list = await opened;
  refresh();
  pass();
  asked.at(-1)?.reject(new Error("The database cannot be read."));
  await settled();
  assert.equal(list.error.value?.text, "The database cannot be read.");
  assert.deepEqual(list.rows.shown.value, ["a"]);
  refresh();
  pass();
  await answer("c");
  assert.equal(list.error.value, null);
});

test("a list whose first reading fails follows nothing", async (t) => {
  const { asked, follower, opened } = start(t);
  asked[0]?.reject(new Error("busy"));
  await assert.rejects(opened, /busy/);
  assert.ok(follower.hasLeft);
});

test("a list that is over follows nothing, and requests nothing", async (t) => {
  const { answer, asked, over, follower, refresh, pass } = start(t);
  await answer("a");
  refresh();
  over.abort();
  pass();
  assert.deepEqual([follower.hasLeft, asked.length], [true, 1]);
});

/** The last page of a list. */
const last = (...items: readonly string[]): Rows => ({ items, next: null });
/** A page that another one follows. */
const page = (...items: readonly string[]): Rows => ({ items, next: `after ${items.at(-1)}` });

function rows(shown: Rows): HeldRows<string> {
  const list = heldRows<string>((item) => item);
  list.renew(shown);
  return list;
}

/** A list that its reader holds, and that has been read again since. */
function held(shown: Rows, latest: Rows): HeldRows<string> {
  const list = rows(shown);
  list.hold("reader", true);
  list.renew(latest);
  return list;
}

test("new rows come on top at once, and the oldest go to the next page", () => {
  const list = rows(page("c", "b", "a"));
  list.renew(page("e", "d", "c"));
  assert.deepEqual([list.shown.value, list.next.value, list.waiting.value], [["e", "d", "c"], "after c", "0"]);
});

test("nothing moves while the list is held, and everything that waited appears once nothing holds it", () => {
  const list = rows(last("b", "a"));
  list.hold("pointer", true);
  list.hold("focus", true);
  list.renew(last("d", "c", "b"));
  assert.deepEqual(list.shown.value, ["b", "a"]);
  assert.equal(list.waiting.value, "2");
  assert.ok(list.ended.value.has("a"));
  list.hold("pointer", false);
  assert.deepEqual(list.shown.value, ["b", "a"]);
  list.hold("focus", false);
  assert.deepEqual(list.shown.value, ["d", "c", "b"]);
  assert.deepEqual([list.ended.value.size, list.waiting.value], [0, "0"]);
});

test("the next page starts after the rows that are shown, even while newer ones wait", () => {
  const list = held(page("d", "c"), page("g", "f"));
  assert.equal(list.next.value, "after c");
  list.showLatest();
  assert.equal(list.next.value, "after f");
});

test("if a whole page is new, there may be more", () => {
  const list = held(page("b", "a"), page("e", "d"));
  assert.equal(list.waiting.value, "2+");
  list.renew(last("e", "d"));
  assert.equal(list.waiting.value, "2");
  list.renew({ items: [], next: "where a search gave up" });
  assert.equal(list.waiting.value, "0");
});

test("a row that moves up from the next page is not new", () => {
  const list = held(page("d", "c", "b"), page("e", "d", "b", "a"));
  assert.equal(list.waiting.value, "1");
  list.showLatest();
  assert.deepEqual(list.shown.value, ["e", "d", "b", "a"]);
});

test("rows that are missing when a list is read again are over, unless they may be on a later page", () => {
  const list = held(page("d", "c", "b", "a"), page("d", "b"));
  assert.deepEqual([...list.ended.value], ["c"]);
  list.renew(last("d", "c"));
  assert.deepEqual([...list.ended.value], ["b", "a"], "one that is back is not over any more");
  list.showLatest();
  assert.deepEqual(list.shown.value, ["d", "c"]);
});

test("a row that moves to the top does not end those above its former place", () => {
  const list = held(page("d", "c", "b", "a"), page("a", "f", "e", "d"));
  assert.deepEqual([list.ended.value.size, list.waiting.value], [0, "2"]);
});

test("a row that the reader ends is marked at once, stays marked, and does not return with an earlier answer", () => {
  const list = held(page("c", "b", "a"), page("d", "c", "b", "a"));
  list.end("a");
  assert.deepEqual([list.shown.value, [...list.ended.value]], [["c", "b", "a"], ["a"]]);
  list.renew(page("e", "d", "c", "b"));
  assert.deepEqual([...list.ended.value], ["a"], "it may be on a later page");
  list.renew(page("d", "c", "b", "a"));
  list.end("a");
  list.hold("reader", false);
  assert.deepEqual(list.shown.value, ["d", "c", "b"]);
  list.showLatest();
  assert.deepEqual(list.shown.value, ["d", "c", "b"]);
});

test("a row that returns stays in its place, with its current data, even while the list is held", () => {
  const list = heldRows<readonly [name: string, data: number]>(([name]) => name);
  const renew = (...items: readonly (readonly [string, number])[]): void => list.renew({ items, next: null });
  renew(["b", 1], ["a", 1]);
  list.hold("pointer", true);
  list.end("a");
  renew(["b", 1], ["a", 2]);
  assert.equal(list.ended.value.size, 0);
  assert.deepEqual(list.shown.value, [
    ["b", 1],
    ["a", 2],
  ]);
});
