import assert from "node:assert/strict";
import { test } from "node:test";
import { EVENT_TYPES } from "./event-types.ts";

test("each name is a word that people can type, and stands once", () => {
  for (const type of EVENT_TYPES) assert.match(type, /^[A-Z]+(_[A-Z]+)*$/);
  assert.equal(new Set(EVENT_TYPES).size, EVENT_TYPES.length);
});
