import assert from "node:assert/strict";
import { type EventRecord, sentenceOf } from "../../src/core/events/event.ts";
import { readRest } from "../../src/core/events/rest-schemas.ts";

/** The record as it is read from the database, with its text, which must be the same as before. */
export function readBack(record: EventRecord | null) {
  assert.ok(record !== null);
  const rest = readRest(JSON.stringify(record.rest)) ?? assert.fail(JSON.stringify(record.rest));
  const words = sentenceOf({ ...record, rest });
  assert.deepEqual(words, sentenceOf(record));
  return { ...record, rest, ...words };
}
