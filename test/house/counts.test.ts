import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { test } from "node:test";

/** A number and the plural of what it counts, which reads "1 records are" one day. */
const COUNTED =
  /\$\{([\w.#()]*(?:length|size|[cC]ount|[tT]otal|left|lifted|expired|bad|ended|events\(\)))\} (?!of\b)[a-z]+s\b(?<!ss|us|is|as)/g;

test("whatever is counted in a message is counted by plural()", () => {
  assert.equal([..."`${bad.length} records`".matchAll(COUNTED)].length, 1);
  assert.equal([...'`${plural(bad.length, "record")}, ${n.length} was`'.matchAll(COUNTED)].length, 0);
  const found = globSync("src/**/*.ts")
    .filter((file) => !file.endsWith(".test.ts"))
    .flatMap((file) => [...readFileSync(file, "utf8").matchAll(COUNTED)].map(([text]) => `${file}: ${text}`));
  assert.deepEqual(found, []);
});
