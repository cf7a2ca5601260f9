import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { BoundedMap } from "./bounded-map.ts";

test("the entry that was set longest ago goes first", () => {
  const map = new BoundedMap<string, number>(2);
  map.set("a", 1);
  map.set("b", 2);
  map.set("a", 3);
  map.set("c", 4);
  assert.deepEqual(
    [...map],
    [
      ["a", 3],
      ["c", 4],
    ],
  );
  assert.equal(map.get("b"), undefined);
});

test("reading an entry does not keep it, touching it does", () => {
  const map = new BoundedMap<string, number>(2);
  map.set("a", 1);
  map.set("b", 2);
  assert.equal(map.get("a"), 1);
  map.set("c", 3);
  assert.equal(map.get("a"), undefined);
  assert.equal(map.touch("b"), 2);
  assert.equal(map.touch("gone"), undefined);
  map.set("d", 4);
  assert.equal(map.get("b"), 2);
  assert.equal(map.get("c"), undefined);
});

test("what is deleted leaves room, and nothing is left after clear", () => {
  const map = new BoundedMap<string, number>(2);
  map.set("a", 1);
  map.set("b", 2);
  map.delete("a");
  map.set("c", 3);
  assert.equal(map.get("b"), 2);
  map.clear();
  assert.equal(map.size, 0);
});

test("it holds the latest entries of any history, and no more than its bound", () => {
  const step = fc.record({ key: fc.nat(6), what: fc.constantFrom("set", "touch", "delete", "get") });
  fc.assert(
    fc.property(fc.nat(4), fc.array(step, { maxLength: 60 }), (extra, steps) => {
      const most = extra + 1;
      const map = new BoundedMap<number, number>(most);
      let naive: (readonly [number, number])[] = [];
      for (const [i, { key, what }] of steps.entries()) {
        const held = naive.find(([known]) => known === key);
        const others = naive.filter(([known]) => known !== key);
        if (what === "set") naive = [...others, [key, i] as const].slice(-most);
        if (what === "delete") naive = others;
        if (what === "touch" && held !== undefined) naive = [...others, held];
        if (what === "set") map.set(key, i);
        else if (what === "delete") map.delete(key);
        else assert.equal(what === "touch" ? map.touch(key) : map.get(key), held?.[1]);
        assert.deepEqual([...map], naive);
        assert.equal(map.size, naive.length);
      }
    }),
    { seed: 20_261_120 },
  );
});
