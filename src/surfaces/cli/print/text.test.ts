import assert from "node:assert/strict";
import { test } from "node:test";
import { fitted } from "./text.ts";

test("long lines are broken at blanks, and continue with an indent", () => {
  assert.equal(fitted("short\none two three four", 9, "  "), "short\none two\n  three\n  four");
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
