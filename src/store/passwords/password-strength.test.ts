import assert from "node:assert/strict";
import { test } from "node:test";
import { Options, ZxcvbnFactory } from "@zxcvbn-ts/core";
import * as common from "@zxcvbn-ts/language-common";
import * as english from "@zxcvbn-ts/language-en";
import fc from "fast-check";
import { costOf } from "../../../test/kit/processor-time.ts";
import { accountName } from "../../../test/kit/samples.ts";
import { loadPasswordJudge, wordsWithin } from "./password-strength.ts";

const judge = await loadPasswordJudge();
const anna = accountName("anna.smith@example.org");

const refused: readonly [password: string, says: RegExp][] = [
  ["Password123!", /too easy to guess.*commonly used password/],
  ["qwertyuiop", /too easy to guess.*frequently used password/],
  ["P@ssw0rd2024", /too easy to guess/],
  ["iloveyou123", /too easy to guess/],
  ["aaaaaaaaaaaaaaaa", /too easy to guess.*[Rr]epeat/],
  ["0123456789", /too easy to guess.*sequences/],
  ["annasmith1990", /too easy to guess/],
  ["Smith.Anna.1", /too easy to guess/],
  ["example.org2026", /too easy to guess/],
  ["my anna.smith pass", /name of the account/],
];
for (const [password, says] of refused)
  test(`refused: ${password}`, () => assert.match(judge(password, anna) ?? "no reason", says));

for (const password of ["correct horse battery", "gX7$kq9!Lp", "zebra-lamp-quiet", "Straßenbahn am Sonntag"])
  test(`accepted: ${password}`, () => assert.equal(judge(password, anna), null));

test("the administrator's password is judged too, with other names", () => {
  assert.match(judge("ghostinbox1", null) ?? "", /too easy to guess/);
  assert.equal(judge("a long phrase for the dashboard", null), null);
});

test("the longest password of leaked words takes hardly longer than one of 64 characters", () => {
  const words = "p4$$w0rdl3tm31nm0nk3yqw3rtydr4g0n5un5h1n3pr1nc355f00tb4llch4rl135h4d0w".repeat(7);
  const costMs = (password: string): number => costOf(() => judge(password, anna)).costMs;
  costMs(words.slice(0, 64));
  assert.ok(costMs(words) < 3 * costMs(words.slice(0, 64)) + 200);
});

const lists = { ...common.dictionary, ...english.dictionary };
const { l33tTable } = new Options();

test("words that are longer or have other characters become empty; the rest keep their place", () => {
  const within = wordsWithin("P4ss", { some: ["pass", "word", "passport", "sap", "p4", 7] }, { a: ["4"] });
  assert.deepEqual(within, { some: ["pass", "", "", "sap", "p4", ""] });
});

test("the estimate is the same as with all words, for any password", () => {
  const options = { translations: english.translations, graphs: common.adjacencyGraphs };
  const whole = new ZxcvbnFactory({ ...options, dictionary: lists });
  const some = ["Password", "dragon", "correct", "Straße", "smith", "wednesday", "2|vv|2nna", "İstanbul"];
  const words = fc.constantFrom(...some);
  const disguised = words.map((word) => word.replaceAll("s", "$").replaceAll("a", "4").replaceAll("o", "0"));
  const reversed = words.map((word) => [...word].toReversed().join(""));
  const between = fc.constantFrom("-", "1990", "qwerty");
  const part = fc.oneof(words, disguised, reversed, fc.string({ maxLength: 6 }), between);
  const password = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join(""));
  fc.assert(
    fc.property(password, (text) => {
      const few = new ZxcvbnFactory({ ...options, dictionary: wordsWithin(text, lists, l33tTable) });
      const [{ calcTime: _, ...expected }, { calcTime: __, ...got }] = [whole.check(text), few.check(text)];
      assert.deepEqual(got, expected);
    }),
    { numRuns: 20 },
  );
});
