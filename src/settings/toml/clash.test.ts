import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "smol-toml";
import { findClash, nameOf, statementsOf } from "./statements.ts";

const clashing: readonly (readonly [text: string, line: number, says: RegExp])[] = [
  ["a = 1\nb = 2\na = 3", 3, /^a is set twice in ghostinbox\.toml, in lines 1 and 3: keep one of them\.$/],
  ["[t]\na = 1\n\n[u]\n[t]", 5, /^The table \[t\] is opened twice .* in lines 1 and 5: /],
  ["t.a = 1\n[t]\nb = 2", 2, /^Line 2 of .* opens \[t\], but line 1 has set t\.a already: write t\.NAME = /],
  ["t = 1\n[t]", 2, /opens \[t\], but line 1 has set t already/],
  [
    "[t.u]\na = 1\n[t]\nu.b = 2",
    4,
    /^Line 4 of .* sets t\.u\.b, but line 1 has opened \[t\.u\]: write it below that line\.$/,
  ],
  ['"a b" = 1\n"a b" = 2', 2, /^"a b" is set twice/],
];

for (const [text, line, says] of clashing)
  test(`reported with both lines: ${JSON.stringify(text)}`, () => {
    assert.throws(() => parse(text), "the parser refuses it too");
    const clash = findClash(statementsOf(text));
    assert.equal(clash?.line, line);
    assert.match(clash.says, says);
  });

for (const text of [
  "t.a = 1\nt.b = 2\nu.t.a = 3",
  "[t.u]\na = 1\n[t]\nb = 2",
  "t.a = 1\n[t.u]\nb = 2",
  "[t]\na = 1\n[u]\na = 1",
  "[[t]]\na = 1\n[[t]]\nb = 2",
])
  test(`no clash in ${JSON.stringify(text)}`, () => {
    parse(text);
    assert.equal(findClash(statementsOf(text)), null);
  });

test("a name is written as TOML takes it", () => {
  assert.equal(nameOf(["a", "b.c", "d e"]), 'a."b.c"."d e"');
});
