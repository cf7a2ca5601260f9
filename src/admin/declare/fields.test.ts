import assert from "node:assert/strict";
import { test } from "node:test";
import * as z from "zod/mini";
import { anObject, flag, objects, printableText, readFields, text, texts, wholeNumber } from "./fields.ts";

const lists = { words: texts(2, 3), entries: objects(1, { name: text(3) }) };
const others = { count: wholeNumber(1, 9), is: flag, more: anObject };
const schema = z.strictObject({ word: text(3), note: printableText(8), ...lists, ...others });
const GOOD = { word: "abc", note: "a", words: ["a", "b"], entries: [{ name: "x" }], count: 9, is: true, more: {} };

test("fields within their bounds are returned unchanged; control characters in a note are escaped", () => {
  assert.deepEqual(readFields(schema, GOOD), { ok: true, value: GOOD });
  const noted = readFields(schema, { ...GOOD, note: "a\u001bb" });
  assert.equal(noted.ok && noted.value.note, "a\\x1bb");
});

for (const [field, value, fault] of [
  ["word", "abcd", "is not a text of at most 3 characters"],
  ["word", undefined, "is not a text of at most 3 characters"],
  ["note", 7, "is not a text of at most 8 characters"],
  ["words", ["a", "b", "c"], "is not a list of at most 2 texts of at most 3 characters"],
  ["words", ["abcd"], "is not a list of at most 2 texts of at most 3 characters"],
  ["words", { length: 1 }, "is not a list of at most 2 texts of at most 3 characters"],
  ["entries", [GOOD, GOOD], "is not a list of at most 1 objects"],
  ["entries", ["x"], "is not a list of at most 1 objects"],
  ["count", 0, "is not a whole number from 1 to 9"],
  ["count", 1.5, "is not a whole number from 1 to 9"],
  ["is", "true", "is neither true nor false"],
  ["more", [], "is not an object"],
] as const)
  test(`${field} as ${JSON.stringify(value)} is refused in one sentence`, () => {
    const problem = `The field "${field}" ${fault}.`;
    assert.deepEqual(readFields(schema, { ...GOOD, [field]: value }), { ok: false, problem });
  });

test("a refusal names a wrong or unknown field of an entry", () => {
  const read = (entry: unknown) => readFields(schema, { ...GOOD, entries: [entry] });
  const problem = 'The field "name" is not a text of at most 3 characters.';
  assert.deepEqual(read({ name: 7 }), { ok: false, problem });
  assert.deepEqual(read({ name: "x", a: 1 }), { ok: false, problem: 'Unknown field "a".' });
});

test("inherited properties are not fields", () => {
  const text = JSON.stringify(GOOD).replace("{", '{"__proto__":{"word":"x"},');
  assert.deepEqual(readFields(schema, JSON.parse(text)), { ok: false, problem: 'Unknown field "__proto__".' });
});
