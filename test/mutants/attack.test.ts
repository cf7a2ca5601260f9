import assert from "node:assert/strict";
import { test } from "node:test";
import { attack, reachesOf, testsOf } from "./attack.ts";
import { equivalentsIn, isEquivalent, knownEquivalents, outdated } from "./equivalents.ts";
import { Imports } from "./imports.ts";
import { type Mutant, mutantsIn } from "./mutants.ts";
import { sourcesIn, testsIn } from "./scope.ts";
import { Tree } from "./tree.ts";

const ROOT = process.cwd();
const WINDOWS = "src/core/decide/windows.ts";

test("the list of equivalent mutants holds nothing that is gone, and a reason for each", () => {
  const known = knownEquivalents();
  assert.deepEqual(outdated(mutantsIn(ROOT, sourcesIn(ROOT)), known), []);
  assert.ok(known.length > 0 && known.every(({ why }) => why.endsWith(".")));
});

test("an entry that describes no mutant is noticed, and so is an unreadable line", () => {
  const known = equivalentsIn(`${WINDOWS}\n  let low = «0 → 1 | 7»; // It is not.\n`);
  const [entry, elsewhere] = known;
  assert.deepEqual(entry, { file: WINDOWS, was: "let low = 0;", is: "let low = 1;", why: "It is not." });
  const mutants = mutantsIn(ROOT, [WINDOWS]);
  assert.deepEqual(outdated(mutants, known), [elsewhere]);
  assert.equal(mutants.filter((mutant) => isEquivalent(mutant, known)).length, 1);
  assert.throws(() => equivalentsIn("  let low = 0;"), /lists no mutant/);
});

test("the test beside a file comes first, and types lead nowhere", () => {
  const tests = testsOf("src/core/decide/ban-ladder.ts", reachesOf(new Imports(ROOT), testsIn(ROOT)));
  assert.equal(tests[0], "src/core/decide/ban-ladder.test.ts");
  assert.ok(tests.includes("test/scenarios/scenarios.test.ts"));
  assert.ok(!tests.includes("src/core/net/ip.test.ts"));
  assert.deepEqual(testsOf("src/guard/ports.ts", reachesOf(new Imports(ROOT), ["src/guard/engine.test.ts"])), []);
});

test("a mutant that decides otherwise is killed, one that changes nothing survives, one without an end is stopped", async () => {
  const tree = new Tree(ROOT);
  try {
    const ends = async (was: string, is: string, firstMs = 30_000): Promise<string> =>
      (await attack(tree, mutant(was, is), ["src/core/decide/windows.test.ts"], { firstMs, restMs: 0 })).end;
    assert.equal(await ends("const start = now - windowMs;", "const start = now + windowMs;"), "killed");
    const isLater = "if ((times[middle] ?? 0) > start) high = middle;";
    assert.equal(await ends(isLater, "if ((times[middle]) > start) high = middle;"), "survived");
    assert.equal(await ends("while (low < high) {", "while (low <= high) {", 1_500), "timed_out");
  } finally {
    tree.remove();
  }
});

test("a mutation that does not compile is not a mutant", async () => {
  const tree = new Tree(ROOT);
  try {
    const taken = mutant("const start = now - windowMs;", "const start = now + windowMs;");
    const refused = { ...taken, text: "?" };
    assert.deepEqual(await tree.compiling([refused, taken]), [taken]);
  } finally {
    tree.remove();
  }
});

function mutant(was: string, is: string): Mutant {
  const found = mutantsIn(ROOT, [WINDOWS]).find((one) => one.was === was && one.is === is);
  if (found === undefined) throw new Error(`no such mutant: ${is}`);
  return found;
}
