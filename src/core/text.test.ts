import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { ANY_CHARACTER } from "../../test/kit/any-character.ts";
import { asSentence, editDistance, escapeUnits, fitted, inMb, nearest, orNearest, plural, printable } from "./text.ts";

const cases: readonly (readonly [string, string, number, string])[] = [
  ["plain text stays", "mail.example.net", 40, "mail.example.net"],
  ["letters in any script stay", "Jürgen 李 😀", 40, "Jürgen 李 😀"],
  ["text cannot end a line", "a\r\nb", 40, "a\\x0d\\x0ab"],
  ["no terminal sequence", "\x1b[31mred\x9b0m", 40, "\\x1b[31mred\\x9b0m"],
  ["no change of direction", "exe.\u202egpj", 40, "exe.\\u{202e}gpj"],
  ["no line separator", "a\u2028b", 40, "a\\u{2028}b"],
  ["half a surrogate pair", "a\ud800b", 40, "a\\u{d800}b"],
  ["text that is too long is cut and says so", "abcdef", 4, "abc…"],
  ["an escape counts at its length", "\x00\x00", 5, "\\x00…"],
  ["a pair is not cut in half", "ab😀cd", 4, "ab…"],
  ["an escape that just fits is not cut", "a\x00", 5, "a\\x00"],
  ["room only for the mark", "abc", 1, "…"],
  ["nothing", "", 4, ""],
  ["no room", "abc", 0, ""],
];

for (const [name, text, max, expected] of cases)
  test(`printable: ${name}`, () => assert.equal(printable(text, max), expected));

test("printable text is one bounded printable line, and stays unchanged", () => {
  const anyText = fc.oneof(
    fc.string({ unit: ANY_CHARACTER }),
    fc.string({ unit: fc.nat(0xffff).map((code) => String.fromCharCode(code)) }),
  );
  fc.assert(
    fc.property(anyText, fc.nat(60), (text, max) => {
      const shown = printable(text, max);
      assert.ok(shown.length <= max);
      assert.doesNotMatch(shown, /[\p{C}\p{Zl}\p{Zp}]/u);
      assert.equal(printable(shown, max), shown);
    }),
    { seed: 1, numRuns: 3000 },
  );
});

test("every UTF-16 unit is escaped, including a line end and both halves of a pair", () =>
  assert.equal(escapeUnits("\né😀"), "\\u000a\\u00e9\\ud83d\\ude00"));

test("long lines are broken at blanks, and continue with an indent", () => {
  assert.equal(fitted("short\none two three four", 9, "  "), "short\none two\n  three\n  four");
  assert.deepEqual([fitted("one two", 7, ""), fitted("one two", 6, "")], ["one two", "one\ntwo"]);
  for (const line of fitted("word ".repeat(100).trim(), 40).split("\n")) assert.ok(line.length <= 40, line);
});

test("a word that is longer than the line stays whole", () => {
  assert.equal(fitted("at /a/very/long/path now", 10, "  "), "at\n  /a/very/long/path\n  now");
  assert.equal(fitted("/a/very/long/path", 10, "  "), "/a/very/long/path");
});

test("no word is lost", () => {
  const text = "1 22 333 4444 55555 666666   7777777 88888888 999999999";
  for (let width = 5; width < 60; width++)
    assert.deepEqual(fitted(text, width, "    ").split(/\s+/), text.split(/\s+/), `${width}`);
});

test("plural inflects by count", () => {
  assert.deepEqual([plural(0, "ban"), plural(1, "ban"), plural(2, "ban")], ["0 bans", "1 ban", "2 bans"]);
  const things = ["day", "directory", "address", "mailbox"].map((thing) => plural(2, thing));
  assert.deepEqual(things, ["2 days", "2 directories", "2 addresses", "2 mailboxes"]);
  assert.equal(plural(1, "record is", "records are"), "1 record is");
  assert.equal(plural(3, "record is", "records are"), "3 records are");
});

test("space is shown in whole megabytes, rounded up", () =>
  assert.deepEqual([inMb(0), inMb(1), inMb(1 << 20), inMb((1 << 20) + 1)], [0, 1, 1, 2]));

test("edit distance counts insertions, deletions, replacements and swaps", () => {
  const word = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 5 });
  const isSame = fc.property(word, word, (a, b) => assert.equal(editDistance(a, b), naiveDistance(a, b)));
  fc.assert(isSame, { seed: 1, numRuns: 1000 });
});

/** Tries every edit at the first character. */
function naiveDistance(a: string, b: string): number {
  if (a === "" || b === "") return a.length + b.length;
  const [x, y] = [a.slice(1), b.slice(1)];
  const edited = [naiveDistance(x, y) + (a[0] === b[0] ? 0 : 1), naiveDistance(x, b) + 1, naiveDistance(a, y) + 1];
  if (a[0] === b[1] && a[1] === b[0]) edited.push(naiveDistance(a.slice(2), b.slice(2)) + 1);
  return Math.min(...edited);
}

test("the nearest name wins, the first of several equally near", () => {
  assert.equal(nearest("bann", ["allow", "bans", "band"]), "bans");
  assert.equal(nearest("cat", ["bat", "cat"]), "cat");
  assert.equal(nearest("x", []), "");
});

test("a name is suggested if at most half of it differs", () => {
  assert.equal(orNearest("ax", ["ab"]), "; the nearest is ab");
  assert.equal(orNearest("axy", ["abc"]), "");
  assert.equal(orNearest("ab", ["abcd"]), "; the nearest is abcd");
});

test("a very long name costs no more than a hundred characters do", () => {
  assert.equal(nearest(`bans${"x".repeat(1_000_000)}`, ["bans"]), "bans");
  const known = [99, 101, 100].map((length) => "x".repeat(length));
  assert.equal(nearest("x".repeat(200), known).length, 100);
});

test("a reason from elsewhere gets a full stop if it does not end like a sentence", () => {
  const sentences = ["no answer", "Refused.", "Why?", "cut…"].map(asSentence);
  assert.deepEqual(sentences, ["no answer.", "Refused.", "Why?", "cut…"]);
});
