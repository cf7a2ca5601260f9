import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type Answer, LiveList } from "./live-list.ts";

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
    await new Promise((resolve) => setImmediate(resolve));
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
  await new Promise((resolve) => setImmediate(resolve));
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
