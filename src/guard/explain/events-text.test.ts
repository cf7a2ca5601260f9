import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeQueries, T0 } from "../../../test/kit/api-kit.ts";
import { isoTime, later } from "../../core/time.ts";
import { eventsText } from "./event-pages.ts";

test("a page of events is the JSON of the API, with the next cursor", () => {
  const queries = new FakeQueries();
  for (const type of ["CONNECT", "BAN"]) queries.add(type);
  const read = (before: number, most: number): unknown =>
    JSON.parse(eventsText(queries, { before, most, order: "newest_first" }));
  const first = read(9, 1);
  assert.deepEqual(first, { items: queries.rows.slice(1), next: "2", searchedTo: isoTime(later(T0, 2)) });
  assert.deepEqual(read(1, 9), { items: [], next: null, searchedTo: null });
});
