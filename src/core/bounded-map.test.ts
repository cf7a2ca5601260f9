import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { BoundedMap } from "./bounded-map.ts";

test("a map holds the latest entries of any history, and no more than its bound", () => {
  const step = fc.record({ key: fc.nat(6), what: fc.constantFrom("set", "set", "touch", "delete", "get", "clear") });
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
        if (what === "clear") naive = [];
        if (what === "touch" && held !== undefined) naive = [...others, held];
        if (what === "set") map.set(key, i);
        else if (what === "delete") map.delete(key);
        else if (what === "clear") map.clear();
        else assert.equal(what === "touch" ? map.touch(key) : map.get(key), held?.[1]);
        assert.deepEqual([...map], naive);
        assert.equal(map.size, naive.length);
      }
    }),
    { seed: 20_261_120 },
  );
});
