/** `npm run mutate`: changes the code in small ways and counts how many of the changes a test notices. */
import { parseArgs } from "node:util";
import { attack, type Result, testsOf } from "./attack.ts";
import { groupsOf } from "./choose.ts";
import { isEquivalent, knownEquivalents, outdated } from "./equivalents.ts";
import { reachesOf } from "./imports.ts";
import { type Mutant, mutantsIn } from "./mutants.ts";
import { sourcesIn, testsIn } from "./scope.ts";
import { Tree } from "./tree.ts";
import { runTests } from "./trial.ts";

const GOAL = 0.95;
const BASELINE_TIMEOUT_MS = 600_000;
/** The exit code that a shell reports for a program that Ctrl-C ended. */
const INTERRUPTED = 130;

const values = optionsOf(process.argv.slice(2)) ?? wrongUsage();
const root = process.cwd();
const seed = Number(values.seed);
const atOnce = Number(values["at-once"]);
const count = values.count === "all" ? Number.POSITIVE_INFINITY : Number(values.count);
if (!Number.isSafeInteger(seed) || !Number.isSafeInteger(atOnce) || atOnce < 1 || !(count >= 1)) wrongUsage();

const everything = mutantsIn(root, sourcesIn(root));
const known = knownEquivalents();
const gone = outdated(everything, known);
for (const { file, was, is } of gone)
  console.error(`equivalent-mutants.txt: no mutant of ${file} reads\n  - ${was}\n  + ${is}`);
if (gone.length > 0) process.exit(2);
const mutants = everything.filter(({ file }) => values.only.some((part) => file.includes(part)));

const trees = Array.from({ length: atOnce }, () => new Tree(root));
process.once("exit", () => trees.forEach((tree) => tree.remove()));
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.once(signal, () => {
    console.log(`Ended early by ${signal}: nothing above is a result.`);
    process.exit(INTERRUPTED);
  });
process.exit(await mutate());

async function mutate(): Promise<number> {
  const [first] = trees;
  if (first === undefined) return 2;
  console.log(`seed ${seed}, ${mutants.length} places in ${new Set(mutants.map(({ file }) => file)).size} files`);
  const { chosen, refused } = await choose(first);
  const reaches = reachesOf(root, testsIn(root));
  const tests = new Map(chosen.map(({ file }) => [file, testsOf(file, reaches)]));
  if (!(await pass([...new Set([...tests.values()].flat())]))) return 2;
  const equivalent = chosen.filter((mutant) => isEquivalent(mutant, known));
  const waiting = chosen.filter((mutant) => !isEquivalent(mutant, known)).values();
  const results: Result[] = [];
  const work = async (tree: Tree): Promise<void> => {
    for (const mutant of waiting) {
      const result = await attack(tree, mutant, tests.get(mutant.file) ?? []);
      results.push(result);
      console.log(lineOf(result));
    }
  };
  await Promise.all(trees.map(work));
  return report(results, { equivalent: equivalent.length, refused });
}

/** Whether the tests pass without a mutant. Otherwise every mutant would seem to be noticed. */
async function pass(tests: readonly string[]): Promise<boolean> {
  const verdicts = await Promise.all(
    trees.map(({ path }, i) =>
      runTests(
        path,
        tests.filter((_, test) => test % trees.length === i),
        BASELINE_TIMEOUT_MS,
      ),
    ),
  );
  const wrong = verdicts.filter(({ end }) => end !== "passed");
  for (const verdict of wrong) console.error(`The tests must pass without a mutant: ${JSON.stringify(verdict)}`);
  return wrong.length === 0;
}

/** Chooses this many mutants that compile, spread over the code. */
async function choose(tree: Tree): Promise<Readonly<{ chosen: readonly Mutant[]; refused: number }>> {
  let groups = groupsOf(mutants, count, seed);
  const chosen: Mutant[] = [];
  let refused = 0;
  while (groups.length > 0) {
    const next = groups.flatMap(([mutant]) => mutant ?? []);
    const compiling = new Set(await tree.compiling(next));
    chosen.push(...compiling);
    refused += next.length - compiling.size;
    groups = groups.filter(([mutant]) => mutant !== undefined && !compiling.has(mutant)).map((group) => group.slice(1));
    groups = groups.filter((group) => group.length > 0);
  }
  return { chosen: chosen.toSorted((a, b) => everything.indexOf(a) - everything.indexOf(b)), refused };
}

function report(results: readonly Result[], others: Readonly<{ equivalent: number; refused: number }>): number {
  const survivors = results.filter(({ end }) => end === "survived");
  const timedOut = results.filter(({ end }) => end === "timed_out").length;
  for (const { mutant } of survivors)
    console.log(`\n${placeOf(mutant)} (${mutant.rule})\n  - ${mutant.was}\n  + ${mutant.is}`);
  const found = results.length - survivors.length;
  const share = results.length === 0 ? 1 : found / results.length;
  console.log(
    `\nseed ${seed}: ${found - timedOut} killed, ${timedOut} timed out, ${survivors.length} survived, ` +
      `${others.equivalent} equivalent, ${others.refused} did not compile: ${(share * 100).toFixed(1)} % found`,
  );
  return share >= GOAL ? 0 : 1;
}

function lineOf({ mutant, end, by, tookMs }: Result): string {
  return `${end.padEnd(9)} ${(tookMs / 1000).toFixed(1).padStart(6)}s ${placeOf(mutant)} ${mutant.rule} ${by}`;
}

function placeOf({ file, line }: Mutant): string {
  return `${file}:${line}`;
}

/** Null if an option is unknown. */
function optionsOf(args: string[]) {
  try {
    const options = {
      seed: { type: "string" as const, default: String(Math.floor(Math.random() * 100_000)) },
      count: { type: "string" as const, default: "120" },
      only: { type: "string" as const, multiple: true as const, default: [""] },
      "at-once": { type: "string" as const, default: "2" },
    };
    return parseArgs({ args, options }).values;
  } catch {
    return null;
  }
}

function wrongUsage(): never {
  console.error("npm run mutate -- [--seed NUMBER] [--count NUMBER|all] [--only PATH]... [--at-once NUMBER]");
  process.exit(2);
}
