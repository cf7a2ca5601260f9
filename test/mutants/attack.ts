import type { Reach } from "./imports.ts";
import type { Mutant } from "./mutants.ts";
import type { Tree } from "./tree.ts";
import { runTests, type Verdict } from "./trial.ts";

export type Result = Readonly<{
  mutant: Mutant;
  end: "killed" | "survived" | "timed_out";
  /** The test that noticed. */
  by: string;
  tookMs: number;
}>;

/** Number of tests that run first, because most mutants are noticed by them. */
const FIRST = 3;
/** After this time, a mutant that loops forever counts as noticed. The slowest file takes a few seconds. */
const FIRST_MS = 25_000;
const REST_MS = 600_000;

/** The tests that run a file, nearest first: the one beside it, then the others by the number of imports in between. */
export function testsOf(file: string, reaches: ReadonlyMap<string, Reach>): readonly string[] {
  const beside = file.replace(/\.ts$/, ".test.ts");
  return [...reaches]
    .flatMap(([test, reach]) => {
      const steps = reach.get(file);
      return steps === undefined ? [] : [{ test, steps: test === beside ? 0 : steps }];
    })
    .toSorted((a, b) => a.steps - b.steps || (a.test < b.test ? -1 : 1))
    .map(({ test }) => test);
}

/** Runs the tests against one mutant. */
export async function attack(tree: Tree, mutant: Mutant, tests: readonly string[]): Promise<Result> {
  const from = performance.now();
  const verdict = await tree.with(mutant, async () => {
    const first = await runTests(tree.path, tests.slice(0, FIRST), FIRST_MS);
    const rest = tests.slice(FIRST);
    const last = first.end !== "passed" || rest.length === 0 ? first : await runTests(tree.path, rest, REST_MS);
    // Files that share a process may disturb each other, so a failure counts only if it repeats in a separate process.
    if (last.end !== "failed" || last.file === tests[0]) return last;
    return eachAlone(tree, last.file === "" ? tests : [last.file, ...tests]);
  });
  const by = verdict.end === "failed" ? `${verdict.file}: ${verdict.test}` : "";
  const end = ({ passed: "survived", failed: "killed", timed_out: "timed_out" } as const)[verdict.end];
  return { mutant, end, by, tookMs: performance.now() - from };
}

async function eachAlone(tree: Tree, tests: readonly string[]): Promise<Verdict> {
  for (const one of tests) {
    const verdict = await runTests(tree.path, [one], FIRST_MS);
    if (verdict.end !== "passed") return verdict;
  }
  return { end: "passed" };
}
