import assert from "node:assert/strict";
import { test } from "node:test";
import { applyTo, mutantsOf } from "./mutants.ts";
import { mutationsOf } from "./rules.ts";

type Case = Readonly<{ says: string; source: string; becomes: readonly string[] }>;

const CASES: readonly Case[] = [
  { says: "a comparison moves its boundary", source: "x = a < b", becomes: ["x = a <= b"] },
  { says: "so does one that includes it", source: "x = a >= b", becomes: ["x = a > b"] },
  { says: "an equality is turned round", source: "x = a === b", becomes: ["x = a !== b"] },
  { says: "`and` becomes `or`", source: "x = a && b", becomes: ["x = a || b"] },
  { says: "`or` becomes `and`", source: "x = (a) || b", becomes: ["x = (a) && b"] },
  { says: "a negation goes", source: "x = !a", becomes: ["x = a"] },
  { says: "a sum becomes a difference", source: "x = a + b", becomes: ["x = a - b"] },
  { says: "a counter counts down", source: "f(i++)", becomes: ["f(i--)"] },
  { says: "numbers grow and shrink by one", source: "x = 1_00", becomes: ["x = 101", "x = 99"] },
  { says: "large numbers are doubled and halved", source: "x = 60_001", becomes: ["x = 120002", "x = 30001"] },
  { says: "nought has a neighbour below", source: "x = 0", becomes: ["x = 1", "x = (-1)"] },
  { says: "`true` becomes `false`", source: "x = true", becomes: ["x = false"] },
  {
    says: "a condition always or never holds",
    source: "x = a ? b : c",
    becomes: ["x = true ? b : c", "x = false ? b : c"],
  },
  { says: "an element that is spread goes", source: "x = [...a, b]", becomes: ["x = [ b]"] },
  { says: "the last element may be spread too", source: "x = { b, ...a }", becomes: ["x = { b,  }"] },
  { says: "least becomes most", source: "x = Math.min(a, b)", becomes: ["x = Math.max(a, b)"] },
  { says: "a fallback is always or never taken", source: "x = a ?? b", becomes: ["x = a", "x = b"] },
  { says: "a fallback of a literal is not changed itself", source: "x = a ?? 0", becomes: ["x = a", "x = 0"] },
  { says: "nor is that of a missing element", source: "const [a = 0] = b", becomes: [] },
  { says: "types are left alone", source: "let x: 1 | true; type Y = -2", becomes: [] },
  { says: "so are comments and strings", source: "// a < 1\nx = 'a < 1'", becomes: [] },
  { says: "so is the length at which text is cut for a reader", source: "x = printable(text, 80)", becomes: [] },
  { says: "so are a library's least and most", source: "x = heap.min(a)", becomes: [] },
];

/** The mutations of an expression; another test covers the removal of its statement. */
function mutated(source: string): readonly string[] {
  return mutationsOf(source)
    .filter(({ rule }) => rule !== "statement")
    .map((mutation) => applyTo(source, mutation));
}

for (const { says, source, becomes } of CASES) test(says, () => assert.deepEqual(mutated(source), becomes));

test("a statement that does something is removed", () => {
  const removed = (source: string): readonly string[] =>
    mutationsOf(source).flatMap((one) => (one.rule === "statement" ? [applyTo(source, one)] : []));
  assert.deepEqual(removed("f(); x = y; await z()"), ["; x = y; await z()", "f(); ; await z()", "f(); x = y; ;"]);
  assert.deepEqual(removed('"use strict"; class A extends B { constructor() { super(); } }'), []);
});

test("an early return disappears when its condition never holds", () => {
  assert.ok(mutated("function f() { if (a) return; g(); }").includes("function f() { if (false) return; g(); }"));
});

test("a text that is not TypeScript is an error", () => {
  assert.throws(() => mutationsOf("if ("), /./);
});

test("a mutant shows the line that it changes, as one line of a diff", () => {
  const [mutant] = mutantsOf("src/x.ts", "first();\n  if (\n    a <\n    b\n  ) second();\n").filter(
    ({ rule }) => rule === "boundary",
  );
  assert.deepEqual([mutant?.line, mutant?.was, mutant?.is], [3, "a <", "a <="]);
});
