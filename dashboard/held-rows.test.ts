import assert from "node:assert/strict";
import { test } from "node:test";
import { HeldRows } from "./live-list.ts";

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

test("a list that is read again moves nothing either", () => {
  const list = rows(["b", "a"]);
  list.hold("pointer", true);
  list.add(["d", "c", "b"]);
  assert.deepEqual([list.shown.value, list.waiting.value], [["b", "a"], 2]);
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
