import assert from "node:assert/strict";
import { test } from "node:test";
import { faultsOf } from "./json-schema.ts";

const BAN = {
  type: "object",
  properties: {
    ip: { type: "string", minLength: 2, maxLength: 5, pattern: "^[0-9.]+$" },
    until: { anyOf: [{ type: "string" }, { type: "null" }] },
    offences: { type: "integer", minimum: 0, maximum: 9 },
    level: { type: "string", enum: ["light", "heavy"] },
  },
  required: ["ip", "until"],
  additionalProperties: false,
} as const;

test("what fits has no fault", () => {
  assert.deepEqual(faultsOf(BAN, { ip: "1.2.3", until: null, offences: 3, level: "light" }), []);
  assert.deepEqual(faultsOf(BAN, { ip: "1.2.3", until: "later" }), []);
  assert.deepEqual(faultsOf({ type: "object", additionalProperties: { type: "integer" } }, { a: 1, b: 2 }), []);
  for (const value of ["a", null]) assert.deepEqual(faultsOf({ type: ["string", "null"] }, value), []);
  assert.deepEqual(faultsOf({ type: "array", items: { const: true } }, [true, true]), []);
});

for (const [what, schema, value, fault] of [
  ["a field that is not described", BAN, { ip: "1.2.3", until: null, more: 1 }, "$: more is not described"],
  ["a field that is missing", BAN, { ip: "1.2.3" }, "$: until is missing"],
  ["another type", BAN, { ip: 1, until: null }, "$.ip: 1 is not of type string"],
  ["none of several types", { type: ["string", "null"] }, 1, "$: 1 is not of type string,null"],
  ["no alternative", BAN, { ip: "1.2.3", until: 1 }, "$.until: 1 is not of type string"],
  [
    "a number that is not whole",
    BAN,
    { ip: "1.2.3", until: null, offences: 1.5 },
    "$.offences: 1.5 is not of type integer",
  ],
  ["a number too great", BAN, { ip: "1.2.3", until: null, offences: 10 }, "$.offences: 10 is too great"],
  ["a number too small", BAN, { ip: "1.2.3", until: null, offences: -1 }, "$.offences: -1 is too small"],
  ["an unknown code", BAN, { ip: "1.2.3", until: null, level: "odd" }, '$.level: "odd" is none of ["light","heavy"]'],
  ["a text too short", BAN, { ip: "1", until: null }, "$.ip: too short"],
  ["a text too long", BAN, { ip: "1.2.3.4", until: null }, "$.ip: too long"],
  ["a text of another form", BAN, { ip: "::1", until: null }, '$.ip: "::1" is not ^[0-9.]+$'],
  ["a list with a wrong item", { type: "array", items: { const: true } }, [true, false], "$[1]: false is not true"],
  [
    "a name of another form",
    { type: "object", additionalProperties: {}, propertyNames: { pattern: "^[A-Z]+$" } },
    { a: 1 },
    '$: name a: "a" is not ^[A-Z]+$',
  ],
  [
    "two alternatives where one is meant",
    { oneOf: [{ type: "string" }, { const: "a" }] },
    "a",
    "$: fits several alternatives",
  ],
  [
    "an object of which any field may come",
    { type: "object", properties: {} },
    {},
    "$: the schema does not say what other fields there may be",
  ],
  ["a keyword that is not known here", { type: "string", uniqueItems: true }, "a", "$: unknown keyword uniqueItems"],
  ["no schema at all", undefined, 1, "$: no schema: undefined"],
] as const)
  test(`${what} is a fault`, () => assert.deepEqual(faultsOf(schema, value), [fault]));
