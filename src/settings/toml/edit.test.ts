import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parse } from "smol-toml";
import { readOr } from "../../core/error.ts";
import { setKey, unsetKey } from "./edit.ts";

function set(text: string, key: string, value: string): string {
  const edited = setKey(text, key.split("."), value);
  return edited.ok ? edited.text : assert.fail(edited.reason);
}

function unset(text: string, key: string): string {
  const edited = unsetKey(text, key.split("."));
  return edited.ok ? edited.text : assert.fail(edited.reason);
}

const edits: readonly (readonly [what: string, before: string, after: string])[] = [
  ["a value with a comment after it", "a.b = 1   # why\nc = 2\n", "a.b = 9   # why\nc = 2\n"],
  ["a key of a table", "[a]\nb = 1\n\n[c]\nb = 2\n", "[a]\nb = 9\n\n[c]\nb = 2\n"],
  [
    "a multi-line list",
    "[a]\nb = [ # first\n  1, # one\n  2,\n] # last\nc = 1\n",
    "[a]\n# first\n# one\nb = 9 # last\nc = 1\n",
  ],
  ["a list with the line breaks of Windows", 'a.b = ["#",\r\n "x" # one\r\n]\r\n', "# one\r\na.b = 9\r\n"],
  ["the same value", "a.b =  9\n", "a.b =  9\n"],
  ["a quoted key", "\"a\" . 'b' = 1\n", "\"a\" . 'b' = 9\n"],
  ["a long string", 'a.b = """\nx = 1\n# no comment\n"""\n', "a.b = 9\n"],
  ["below the line of its default", "# says\n# a.b = 1\n\n# a.c = 2\n", "# says\n# a.b = 1\na.b = 9\n\n# a.c = 2\n"],
  ["below that in its table", "[x]\n# b = 0\n[a]\n# b = 1\n# c = 2\n", "[x]\n# b = 0\n[a]\n# b = 1\nb = 9\n# c = 2\n"],
  ["at the end of its table", "[a]\nc = 1\n\n# of x\n[x]\ny = 1\n", "[a]\nc = 1\nb = 9\n\n# of x\n[x]\ny = 1\n"],
  ["in an empty table", "[a]\n[x]\ny = 1\n", "[a]\nb = 9\n[x]\ny = 1\n"],
  ["at the top, before the first table", "x = 1\n\n[a.z]\ny = 1\n", "x = 1\na.b = 9\n\n[a.z]\ny = 1\n"],
  ["in a file of tables only", "[x]\ny = 1\n", "a.b = 9\n[x]\ny = 1\n"],
  ["in an empty file", "", "a.b = 9\n"],
  ["in a file of comments", "# nothing", "# nothing\na.b = 9\n"],
  ["after a last line without an end", "x = 1", "x = 1\na.b = 9\n"],
  ["with the line breaks of Windows", "x = 1\r\n", "x = 1\r\na.b = 9\r\n"],
];

for (const [what, before, after] of edits) test(`sets ${what}`, () => assert.equal(set(before, "a.b", "9"), after));

test("text within a string is not taken for a key", () => {
  const text = `x = """\n# a.b = 1\na.b = 2\n"""\n`;
  assert.equal(set(text, "a.b", "9"), `${text}a.b = 9\n`);
});

test("nothing is changed within an inline table: its line is reported", () => {
  const reason = "a.b cannot be changed in line 2 of ghostinbox.toml by a command: edit it there.";
  assert.deepEqual(setKey("x = 1\na = { b = 1 }\n", ["a", "b"], "9"), { ok: false, reason });
  assert.deepEqual(unsetKey("x = 1\na = { b = 1 }", ["a", "b"]), { ok: false, reason });
});

test("removes a key with its line, and nothing else", () => {
  assert.equal(unset("# says\na.b = [\n 1,\n] # why\n# next\nc = 1\n", "a.b"), "# says\n# next\nc = 1\n");
  assert.equal(unset("a.b = [\n 1, # one\n] # why\nc = 1\n", "a.b"), "# one\nc = 1\n");
  assert.equal(unset("[a]\nb = 1\n", "a.b"), "[a]\n");
  assert.equal(unset("[a]\nc = 1\n", "a.b"), "[a]\nc = 1\n", "it was not there");
});

const NAMES = ["a", "b", "c"];
const name = fc.constantFrom(...NAMES);
const value = fc.constantFrom("1", '"x # y"', "[1, 2]", "[\n  1, # one\n]", "'''\nb = 1\n'''", "{ d = 1 }", "true");
const line = fc.oneof(
  fc.tuple(fc.array(name, { minLength: 1, maxLength: 3 }), value).map(([path, v]) => `${path.join(".")} = ${v} # kept`),
  fc.array(name, { minLength: 1, maxLength: 2 }).map((path) => `[${path.join(".")}]`),
  name.map((one) => `# a.${one} = 0`),
  fc.constant(""),
);
const document = fc.array(line, { maxLength: 8 }).map((lines) => lines.join("\n"));

test("in any document, only that key changes, and no comment is lost; doing it again changes nothing", () => {
  let edited = 0;
  fc.assert(
    fc.property(document, name, name, value, (text, table, key, given) => {
      if (readOr(() => parse(text), null) === null) return;
      const path = [table, key];
      const done = setKey(text, path, given);
      if (!done.ok) return;
      edited++;
      assert.equal(set(done.text, path.join("."), given), done.text);
      const kept = (one: string, of: RegExp): number => one.split(of).length;
      assert.equal(kept(done.text, /# (?:kept|a\.)/), kept(text, /# (?:kept|a\.)/));
      assert.ok(kept(done.text, /# one/) >= kept(text, /# one/));
      const out = unset(done.text, path.join("."));
      assert.equal(unset(out, path.join(".")), out, "it is not there any more");
      assert.equal(isSet(out, table, key), false);
    }),
    { seed: 5, numRuns: 1_000 },
  );
  assert.ok(edited > 200, `only ${edited} documents could be edited`);
});

function isSet(text: string, table: string, key: string): boolean {
  const found = parse(text)[table];
  return typeof found === "object" && key in found;
}
