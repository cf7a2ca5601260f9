import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parse } from "smol-toml";
import { ANY_CHARACTER } from "../../../test/kit/any-character.ts";
import { findClash, linesOfKeys, statementsOf } from "./statements.ts";

const DOCUMENT = `# a comment = 1
domains = ["a.org"] # behind
"quoted key".'x.y' = 'C:\\' # a backslash is plain here

[limits.mail]
per_minute = 10
list = [
  "]", # a bracket ] and a "quote
  [1, 2],
]
long = """
[not.a.table] = \\"""
""""
inline = { a = 1, b = "}" }
[[many]]
at = 2026-11-20 07:05:01
`;

test("each statement has its path, its line and its value", () => {
  const found = statementsOf(DOCUMENT).map(({ kind, path, line, value }) => [
    kind,
    path.join("|"),
    line,
    DOCUMENT.slice(value.start, value.end).split("\n")[0],
  ]);
  assert.deepEqual(found, [
    ["value", "domains", 2, `["a.org"]`],
    ["value", "quoted key|x.y", 3, "'C:\\'"],
    ["table", "limits|mail", 5, ""],
    ["value", "limits|mail|per_minute", 6, "10"],
    ["value", "limits|mail|list", 7, "["],
    ["value", "limits|mail|long", 11, '"""'],
    ["value", "limits|mail|inline", 14, `{ a = 1, b = "}" }`],
    ["list", "many", 15, ""],
    ["value", "many|at", 16, "2026-11-20 07:05:01"],
  ]);
});

test("a statement spans whole lines", () => {
  const lines = statementsOf(DOCUMENT).map(({ start, end }) => DOCUMENT.slice(start, end));
  assert.equal(lines[0], `domains = ["a.org"] # behind\n`);
  assert.ok(lines.every((line) => line.endsWith("\n")));
  assert.equal(lines[4]?.split("\n").length, 5);
});

test("Windows line breaks, and a last line without one", () => {
  const found = statementsOf("a = 1\r\n\r\n[b]\r\nc = 2").map(({ line, path }) => `${line} ${path.join(".")}`);
  assert.deepEqual(found, ["1 a", "3 b", "4 b.c"]);
});

test("a key within an inline table is in the line of that table", () => {
  const lineOf = linesOfKeys(statementsOf("\nlimits = { mail = { per_minute = 3 } }"));
  assert.equal(lineOf(["limits", "mail", "per_minute"])?.line, 2);
  assert.equal(lineOf(["limit"]), null);
});

for (const text of ["a = [", 'a = "', 'a = """x""', "a = 1 2\n]", "[a", "a b = 1", "= 1", "a =", "a = # none"])
  test(`invalid TOML ends the reading: ${JSON.stringify(text)}`, () => {
    const found = statementsOf(`first = 1\n${text}`);
    assert.equal(found[0]?.path[0], "first");
    assert.ok(found.length <= 2);
  });

test("never throws, and statements never overlap", () => {
  const piece = fc.constantFrom("a", ".", "=", "[", "]", '"', "'", "\n", "#", " ", "{", "}", '"""', "\\", "\r\n", "1");
  const text = fc.oneof(
    fc.array(piece, { maxLength: 30 }).map((all) => all.join("")),
    fc.string({ unit: ANY_CHARACTER }),
  );
  fc.assert(
    fc.property(text, (any) => {
      let end = 0;
      for (const one of statementsOf(any)) {
        assert.ok(one.start >= end && one.end > one.start && one.end <= any.length);
        assert.equal(any.slice(0, one.start).split("\n").length, one.line);
        end = one.end;
      }
    }),
    { seed: 3, numRuns: 1_500 },
  );
});

test("a key that is set twice is reported with both lines, and quoted where it must be", () => {
  const text = '\na."b.c"."d e" = 1\na."b.c"."d e" = 2';
  assert.throws(() => parse(text), "the parser refuses it too");
  const says = 'a."b.c"."d e" is set twice in ghostinbox.toml, in lines 2 and 3: keep one of them.';
  assert.partialDeepStrictEqual(findClash(statementsOf(text)), { line: 3, says });
});

test("a table that is written twice is reported with both lines; a list of tables, or a key and a table, are not", () => {
  const text = "[[l]]\n[a.b]\nc = 1\n[[l]]\n[d]\n[a.b]\nc = 2";
  assert.throws(() => parse(text), "the parser refuses it too");
  const says =
    "The table [a.b] is set twice in ghostinbox.toml, in lines 2 and 6: move its settings below one of them.";
  assert.deepEqual(findClash(statementsOf(text)), { line: 6, says });
  for (const other of ["[[l]]\n[[l]]", "spam = true\n[spam]", 'tls = { cert = "/a" }\n[tls]'])
    assert.equal(findClash(statementsOf(other)), null);
});
