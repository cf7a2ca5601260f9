import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeQueries, T0 } from "../../../test/kit/api-kit.ts";
import { eventItem } from "../../../test/kit/samples.ts";
import { isoTime, later } from "../../core/time.ts";
import type { EventFilter, EventPage } from "../storage-ports.ts";
import { eventsText, everyPage } from "./event-pages.ts";

/** Events 1 to 30. A search reads at most three, and matches even ids. */
function events({ before = 31, after = 0, most, order }: EventFilter): EventPage {
  const ids = Array.from({ length: 30 }, (_, i) => i + 1).filter((id) => id > after && id < before);
  const looked = (order === "newest_first" ? ids.reverse() : ids).slice(0, 3);
  const found = looked.filter((id) => id % 2 === 0).slice(0, most);
  const items = found.map((id) => eventItem("CONNECT", { id }));
  return { items, next: looked.length < 3 ? null : ((found.length === most ? found.at(-1) : looked.at(-1)) ?? null) };
}

for (const order of ["newest_first", "oldest_first"] as const)
  test(`short pages are joined, ${order}`, () => {
    const { items, next } = everyPage({ events }, { most: 7, order });
    const ids = items.map(({ id }) => id);
    assert.equal(next, ids.at(-1));
    assert.deepEqual(ids, order === "newest_first" ? [30, 28, 26, 24, 22, 20, 18] : [2, 4, 6, 8, 10, 12, 14]);
  });

test("the end of the search ends the list", () => {
  const { items, next } = everyPage({ events }, { most: 100, order: "newest_first" });
  assert.deepEqual([items.length, next], [15, null]);
});

test("a search without results is given up after a while", () => {
  let asked = 0;
  const empty = (): EventPage => {
    asked += 1;
    return { items: [], next: 1_000 - asked };
  };
  const none = everyPage({ events: empty }, { most: 5, order: "newest_first" });
  assert.deepEqual([none, asked], [{ items: [], next: 984 }, 16]);
});

test("a page of events is the JSON of the API, with the next cursor", () => {
  const queries = new FakeQueries();
  for (const type of ["CONNECT", "BAN"]) queries.add(type);
  const read = (before: number, most: number): unknown =>
    JSON.parse(eventsText(queries, { before, most, order: "newest_first" }));
  assert.deepEqual(read(9, 1), { items: queries.rows.slice(1), next: "2", searchedTo: isoTime(later(T0, 2)) });
  assert.deepEqual(read(1, 9), { items: [], next: null, searchedTo: null });
});
