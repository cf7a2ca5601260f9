import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { settled } from "../test/kit/until.ts";
import { type Answer, HeldRows, LiveList } from "./live-list.ts";

type Rows = Answer<string>;
const NOTHING: Rows = { items: [], next: null };

/** A list whose answers are given by hand. */
function start(t: TestContext) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const over = new AbortController();
  const asked: Readonly<{ resolve: (answer: Rows) => void; reject: (error: Error) => void }>[] = [];
  const follower: { list?: LiveList<string, Rows>; hasLeft: boolean } = { hasLeft: false };
  const opened = LiveList.open<string, Rows>(
    {
      read: () => {
        const { promise, ...one } = Promise.withResolvers<Rows>();
        asked.push(one);
        return promise;
      },
      keyOf: (item) => item,
      most: 9,
      follow: (list) => {
        follower.list = list;
        return () => {
          follower.hasLeft = true;
        };
      },
    },
    NOTHING,
    over.signal,
  );
  const list = follower.list ?? assert.fail("it does not follow yet");
  const answer = async (...items: readonly string[]): Promise<void> => {
    asked.at(-1)?.resolve({ items, next: "more" });
    await settled();
  };
  return { over, asked, opened, list, answer, follower };
}

test("news that arrive while the list is read are not lost, and are applied after the answer", async (t) => {
  const { list, answer, opened } = start(t);
  list.inOrder(() => list.rows.end(new Set(["a"])));
  list.inOrder(() => list.rows.add(["d"]));
  assert.deepEqual(list.rows.shown.value, []);
  await answer("c", "b", "a");
  assert.deepEqual((await opened).rows.shown.value, ["d", "c", "b"]);
  list.inOrder(() => list.rows.add(["e"]));
  assert.deepEqual(list.rows.shown.value, ["e", "d", "c", "b"]);
});

test("what is asked for while an answer is awaited is asked once more after it", async (t) => {
  const { list, answer, asked } = start(t);
  list.readAgain();
  list.readAgain();
  assert.equal(asked.length, 1);
  await answer("a");
  assert.equal(asked.length, 2);
  await answer("b");
  assert.deepEqual([list.rows.shown.value, list.latest.items, asked.length], [["b"], ["b"], 2]);
});

test("new rows are asked for once in a while, and a hole is not closed", async (t) => {
  const { list, answer, asked } = start(t);
  await answer("b", "a");
  list.readNewest();
  list.readNewest();
  t.mock.timers.tick(1_000);
  assert.equal(asked.length, 2);
  await answer("c", "b");
  assert.deepEqual(list.rows.shown.value, ["c", "b", "a"]);
  list.readNewest();
  t.mock.timers.tick(1_000);
  await answer("z", "y");
  assert.deepEqual(list.rows.shown.value, ["z", "y"]);
});

test("a list that could not be read again says so, stays, and is well after the next answer", async (t) => {
  const { list, answer, asked } = start(t);
  await answer("a");
  list.readAgain();
  list.inOrder(() => list.rows.add(["b"]));
  asked.at(-1)?.reject(new Error("The database cannot be read."));
  await settled();
  assert.equal(list.error.value?.text, "The database cannot be read.");
  assert.deepEqual(list.rows.shown.value, ["b", "a"]);
  list.readAgain();
  await answer("c");
  assert.equal(list.error.value, null);
});

test("a list that is over follows nothing, and asks nothing", async (t) => {
  const { list, answer, asked, over, follower } = start(t);
  await answer("a");
  list.readNewest();
  over.abort();
  t.mock.timers.tick(1_000);
  list.readAgain();
  assert.deepEqual([follower.hasLeft, asked.length], [true, 1]);
});

const rows = (items: readonly string[] = [], most = 5): HeldRows<string> => new HeldRows(items, (item) => item, most);

test("new rows come on top at once, and the oldest leave", () => {
  const list = rows(["c", "b", "a"]);
  list.add(["e", "d"]);
  assert.deepEqual(list.shown.value, ["e", "d", "c", "b", "a"]);
  list.add(["f"]);
  assert.deepEqual(list.shown.value, ["f", "e", "d", "c", "b"]);
  assert.equal(list.waiting.value, 0);
});

test("nothing moves while the list is held, and all that waited comes once nothing holds it", () => {
  const list = rows(["b", "a"]);
  list.hold("pointer", true);
  list.hold("focus", true);
  list.add(["c"]);
  list.add(["d", "c"]);
  list.end(new Set(["a"]));
  assert.deepEqual(list.shown.value, ["b", "a"]);
  assert.equal(list.waiting.value, 2);
  assert.ok(list.ended.value.has("a"));
  list.hold("pointer", false);
  assert.deepEqual(list.shown.value, ["b", "a"]);
  list.hold("focus", false);
  assert.deepEqual(list.shown.value, ["d", "c", "b"]);
  assert.equal(list.ended.value.size, 0);
});

test("a row that ended before it was shown does not come", () => {
  const list = rows();
  list.hold("reader", true);
  list.add(["b", "a"]);
  list.end(new Set(["a"]));
  assert.equal(list.waiting.value, 1);
  list.take();
  assert.deepEqual(list.shown.value, ["b"]);
});

test("a row that is back stays in its place, with its present data", () => {
  const first: readonly (readonly [string, number])[] = [
    ["b", 1],
    ["a", 1],
  ];
  const list = new HeldRows(first, ([name]) => name, 5);
  list.hold("pointer", true);
  list.end(new Set(["a"]));
  list.add([["a", 2]]);
  list.hold("pointer", false);
  assert.deepEqual(list.shown.value, [
    ["b", 1],
    ["a", 2],
  ]);
});

test("the number of those that wait counts beyond what is kept", () => {
  const list = rows([], 2);
  list.hold("pointer", true);
  for (let id = 0; id < 10; id += 1) list.add([String(id)]);
  assert.equal(list.waiting.value, 10);
  list.take();
  assert.deepEqual(list.shown.value, ["9", "8"]);
});

test("a list that is read again replaces the shown one, in its order, once the reader lets go of it", () => {
  const list = rows(["g", "f", "b", "a"], 9);
  list.hold("pointer", true);
  list.renew(["g", "f", "e", "d"], false);
  assert.deepEqual(list.shown.value, ["g", "f", "b", "a"]);
  assert.equal(list.waiting.value, 2);
  list.add(["h"]);
  assert.equal(list.waiting.value, 3);
  list.end(new Set(["e"]));
  list.hold("pointer", false);
  assert.deepEqual(list.shown.value, ["h", "g", "f", "d"]);
});

test("rows that a list lacks when it is read again are over, unless they may be on a later page", () => {
  const list = rows(["d", "c", "b", "a"]);
  list.hold("touch", true);
  list.renew(["d", "b"], false);
  assert.deepEqual([...list.ended.value], ["c"]);
  list.renew(["d", "c"], true);
  assert.deepEqual([...list.ended.value], ["b", "a"]);
  list.take();
  assert.deepEqual(list.shown.value, ["d", "c"]);
});

test("it is known whether rows fell off the end", () => {
  const list = rows(["b", "a"], 3);
  list.add(["c"]);
  assert.equal(list.isCut.value, false);
  list.add(["d"]);
  assert.equal(list.isCut.value, true);
  list.end(new Set(["d"]));
  assert.equal(list.isCut.value, true, "dropped rows do not come back");
  list.renew(["c", "b"], false);
  assert.equal(list.isCut.value, false);
  list.hold("pointer", true);
  list.add(["g", "f", "e", "d"]);
  list.take();
  assert.deepEqual([list.shown.value, list.isCut.value], [["g", "f", "e"], true]);
});

test("ends of rows that are not shown are not kept", () => {
  const list = rows(["b", "a"]);
  list.hold("touch", true);
  for (let id = 0; id < 1_000; id += 1) list.end(new Set([`elsewhere ${id}`]));
  assert.equal(list.ended.value.size, 0);
  list.end(new Set(["a"]));
  assert.equal(list.ended.value.size, 1);
});

test("it is known whether a list reaches what is shown", () => {
  const list = rows(["b", "a"]);
  assert.equal(list.knows(["d", "c"]), false);
  list.hold("reader", true);
  list.add(["c"]);
  assert.equal(list.knows(["d", "c"]), true);
});
