import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { filterOf, MOST_EXPORTED, readForExport } from "./event-query.ts";

/** The route of events, over this many of them, each a minute after the one before; a search looks at 4,000. Returns how often it was asked. */
function serve(t: TestContext, most: number): () => number {
  let asked = 0;
  t.mock.method(globalThis, "fetch", (path: string) => {
    asked += 1;
    const query = new URL(path, "http://server.test/").searchParams;
    const before = Number(query.get("cursor") ?? most + 1);
    const limit = Number(query.get("limit"));
    const looked = Array.from({ length: Math.min(4_000, before - 1) }, (_, place) => {
      const id = before - 1 - place;
      return { id, at: new Date(id * 60_000).toISOString(), details: id % 9 === 0 ? "ninth" : "" };
    });
    const items = looked.filter(({ details }) => details.includes(query.get("text") ?? "")).slice(0, limit);
    const last = (items.length === limit ? items : looked).at(-1);
    const next = last !== undefined && last.id > 1 ? String(last.id) : null;
    return Promise.resolve(Response.json({ items, next, searchedTo: next === null ? null : last?.at }));
  });
  return () => asked;
}

const unstopped = new AbortController().signal;

test("an export has everything that the filter wants, newest first, and reports its progress", async (t) => {
  serve(t, 1_200);
  const progress: number[] = [];
  const all = await readForExport(filterOf({}), unstopped, (count) => progress.push(count));
  assert.deepEqual(
    [all?.items.length, all?.items[0]?.id, all?.items.at(-1)?.id, all?.searchedTo],
    [1_200, 1_200, 1, null],
  );
  assert.deepEqual(progress, [500, 1_000, 1_200]);
});

test("an export never holds more than it may", async (t) => {
  serve(t, 200_000);
  // A search for the text finds 444 or 445 in its bounds, so that the sum is not exact.
  for (const query of [{}, { text: "ninth" }]) {
    const cut = await readForExport(filterOf(query), unstopped, () => {});
    assert.equal(cut?.items.length, MOST_EXPORTED);
    assert.notEqual(cut.searchedTo, null);
  }
});

test("an export of a rare text gives up after a while, and tells how far it came", async (t) => {
  const asked = serve(t, 1_000_000);
  const { items, searchedTo } = (await readForExport(filterOf({ text: "nowhere" }), unstopped, () => {})) ?? {};
  assert.deepEqual([items, asked(), searchedTo], [[], 200, 200_001 * 60_000]);
});

test("an export that is stopped asks no further", async (t) => {
  const asked = serve(t, 40_000);
  const stop = new AbortController();
  assert.equal(await readForExport(filterOf({}), stop.signal, () => stop.abort()), null);
  assert.equal(asked(), 2);
});
