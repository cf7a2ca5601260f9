import assert from "node:assert/strict";
import { test } from "node:test";
import { parseSenderPattern } from "./address.ts";

test("an address or a pattern, in lower case", () => {
  assert.equal(parseSenderPattern("*@Wealthsimple.com"), "*@wealthsimple.com");
  assert.equal(parseSenderPattern("news?@*.example"), "news?@*.example");
});

test("nothing that could be another line, word or comment of a configuration file", () => {
  for (const text of [
    "",
    "example.org",
    "a@b@c",
    "a b@c.example",
    "a@c.example\nscore X 0",
    "a#b@c.example",
    "a@b#c",
    "ä@b.example",
  ])
    assert.equal(parseSenderPattern(text), null, text);
});
