import assert from "node:assert/strict";
import { test } from "node:test";
import { withUnnoted } from "./job.ts";

const UNNOTED = { at: 5, reason: "no room" };
const failed = (at: number) => ({ at, reason: "another" });

for (const { what, record, isShown } of [
  { what: "an empty record", record: { last: null, failure: null }, isShown: true },
  { what: "after what is noted", record: { last: { at: 3 }, failure: failed(4) }, isShown: true },
  { what: "it was noted after all", record: { last: { at: 3 }, failure: failed(5) }, isShown: false },
  { what: "a later failure", record: { last: null, failure: failed(6) }, isShown: false },
  { what: "what went well later", record: { last: { at: 6 }, failure: null }, isShown: false },
])
  test(`a failure that could not be noted: ${what}`, () => {
    assert.deepEqual(withUnnoted(record, UNNOTED), isShown ? { ...record, failure: UNNOTED } : record);
    assert.equal(withUnnoted(record, null), record);
  });
