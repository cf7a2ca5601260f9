import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { columns, jsonLine, printJson } from "./text.ts";

test("each item of a list is on one line, so that grep shows the whole item", () => {
  const bans = { active: 1, items: [{ ip: "203.0.113.7", until: null, of: { networks: ["192.0.2.0/24", "::/64"] } }] };
  assert.equal(
    printJson(bans),
    `{
  "active": 1,
  "items": [
    { "ip": "203.0.113.7", "until": null, "of": { "networks": [ "192.0.2.0/24", "::/64" ] } }
  ]
}`,
  );
});

test("a table may have hundreds of thousands of rows", () => {
  const rows = Array.from({ length: 200_000 }, () => ["a", "b"]);
  assert.ok(columns([...rows, ["long", "b"]]).startsWith("a     b\na     b\n"));
});

test("empty and missing values are printed as JSON does", () => {
  const printed = [{}, [], undefined, { gone: undefined }].map((value) => printJson(value));
  assert.deepEqual(printed, ["{}", "[]", "null", "{}"]);
});

test("a parser reads back the same value", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      assert.deepEqual(JSON.parse(printJson(value)), JSON.parse(JSON.stringify(value)));
    }),
  );
});

test("printed JSON contains no character that controls a terminal", () => {
  const value = { items: [{ helo: "a\u009b2J\u202e\u007f", "k\u2028": "öß" }], text: "\u009d0;x\u0007" };
  const printed = printJson(value);
  assert.doesNotMatch(printed.replaceAll("\n", ""), /[\p{C}\p{Zl}\p{Zp}]/u);
  assert.deepEqual(JSON.parse(printed), value);
});

test("a line of JSON keeps the value, and contains no character that controls a terminal", () => {
  const value = { a: "x\u001b[2J\u202e\u{e0041}\nöß", b: ["\ud800", 1] };
  assert.equal(jsonLine(value), '{"a":"x\\u001b[2J\\u202e\\udb40\\udc41\\nöß","b":["\\ud800",1]}');
  assert.deepEqual(JSON.parse(jsonLine(value)), value);
});
