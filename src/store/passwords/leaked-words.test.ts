import assert from "node:assert/strict";
import { test } from "node:test";
import { Options, ZxcvbnFactory } from "@zxcvbn-ts/core";
import * as common from "@zxcvbn-ts/language-common";
import * as english from "@zxcvbn-ts/language-en";
import fc from "fast-check";
import { wordsWithin } from "./password-strength.ts";

const lists = { ...common.dictionary, ...english.dictionary };
const { l33tTable } = new Options();

test("words with unusual characters, and longer ones, are empty; the others keep their place", () => {
  const within = wordsWithin("P4ss", { some: ["pass", "word", "passport", "sap", "p4", 7] }, { a: ["4"] });
  assert.deepEqual(within, { some: ["pass", "", "", "sap", "p4", ""] });
});

test("the estimate is that by all words, whatever a password is made of", () => {
  const whole = new ZxcvbnFactory({
    translations: english.translations,
    graphs: common.adjacencyGraphs,
    dictionary: lists,
  });
  const words = fc.constantFrom(
    "Password",
    "dragon",
    "correct",
    "Straße",
    "smith",
    "wednesday",
    "2|vv|2nna",
    "İstanbul",
  );
  const disguised = words.map((word) => word.replaceAll("s", "$").replaceAll("a", "4").replaceAll("o", "0"));
  const reversed = words.map((word) => [...word].toReversed().join(""));
  const part = fc.oneof(
    words,
    disguised,
    reversed,
    fc.string({ maxLength: 6 }),
    fc.constantFrom("-", "1990", "qwerty"),
  );
  const password = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join(""));
  fc.assert(
    fc.property(password, (text) => {
      const options = { translations: english.translations, graphs: common.adjacencyGraphs };
      const few = new ZxcvbnFactory({ ...options, dictionary: wordsWithin(text, lists, l33tTable) });
      const [{ calcTime: _, ...expected }, { calcTime: __, ...got }] = [whole.check(text), few.check(text)];
      assert.deepEqual(got, expected);
    }),
    { numRuns: 20 },
  );
});
