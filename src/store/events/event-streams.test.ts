import assert from "node:assert/strict";
import { test } from "node:test";
import { engineDatabase, eventRow, START } from "../../../test/kit/test-database.ts";
import { later, MINUTE_MS } from "../../core/time.ts";
import { EventTimes } from "./event-streams.ts";

test("a time is found between two set-backs of the clock, and events that are too new to be known are not skipped", (t) => {
  const { store, reader, committed } = engineDatabase(t);
  const append = (minutes: number): void =>
    void store.append(eventRow("203.0.113.7", later(START, minutes * MINUTE_MS)));
  const times = new EventTimes(reader);
  const spans = (order: "newest_first" | "oldest_first", before = Number.MAX_SAFE_INTEGER) => [
    ...times.spansOf({ from: later(START, MINUTE_MS), to: later(START, 2 * MINUTE_MS), before, most: 1, order }),
  ];
  assert.deepEqual(spans("newest_first", 1), []);
  committed(() => [0, 1, 2, 3].map(append));
  committed(() => [0, 1, 2, 3].map(append));
  committed(() => [4, 5].map(append));
  store.indexWaiting();
  committed(() => append(1));
  const all = Number.MAX_SAFE_INTEGER;
  assert.deepEqual(spans("newest_first"), [
    { after: 10, before: all },
    { after: 5, before: 8 },
    { after: 1, before: 4 },
  ]);
  assert.deepEqual(spans("oldest_first"), spans("newest_first").toReversed());
  assert.deepEqual(spans("newest_first", 7), [
    { after: 5, before: 7 },
    { after: 1, before: 4 },
  ]);
  assert.equal(times.at(6), later(START, MINUTE_MS));
  assert.equal(times.at(0), null);
});
