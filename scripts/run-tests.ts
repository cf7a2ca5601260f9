/**
 * Runs the checks and the tests and counts them. `check`: what needs neither root nor the mail programs; `all`: that, what
 * needs them, and the lab. A second argument keeps only the test files whose path contains it.
 */
import { fork } from "node:child_process";
import { globSync, mkdtempSync, rmSync } from "node:fs";
import { enableCompileCache } from "node:module";
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { inMemory } from "./memory-directory.ts";
import { type Job, sideBySide } from "./side-by-side.ts";
import {
  BESIDE,
  COMPUTING,
  FUZZ,
  LAB,
  LAB_ALONE,
  LAB_HEAVY,
  LAB_IN_PAIRS,
  LONGEST,
  MACHINE,
  MACHINE_ALONE,
  ON_DISK,
  STATIC_CHECKS,
  TOGETHER,
  UNIT,
} from "./test-files.ts";
import { seconds } from "./test-output.ts";
import { addTally, againAlone, failed, staticCheck, type Tally, tally, tellEnd, testFiles } from "./test-run.ts";

/** More than cores, as some of them wait. */
const UNIT_PLACES = availableParallelism() + 3;
/** A file takes half of a core on average: four keep two cores busy, and with more each waits too long for its turn. */
const LAB_PLACES = 4;
/** Two of them leave one place for another file. */
const HEAVY_PLACES = 1.5;

/** Programs that tests write to directories of their own stay in the cache, so it is emptied at this many files. */
const MOST_COMPILED = 20_000;
/** A file that hangs fails; none comes near these. */
const UNIT_TIMEOUT_MS = 120_000;
const UNIT_PLACE = { places: 1, timeout: UNIT_TIMEOUT_MS };
const LAB_TIMEOUT_MS = 900_000;

const [what = "all", only = "", part = "", patiently = ""] = process.argv.slice(2);

// Each test file loads much of the program again: what was compiled once is kept, for this process and for theirs.
const compiled = resolve("node_modules/.cache/tests");
if (what === "together") {
  enableCompileCache(compiled);
  const patterns = TOGETHER[Number(part)]?.patterns ?? [];
  const timeout = patiently === "" ? UNIT_TIMEOUT_MS : LAB_TIMEOUT_MS;
  await testFiles(inOneProcess(patterns), { isolation: "none", timeout });
  console.log(`done  ${seconds(performance.now())} ${patterns.join(" ")}`);
  await new Promise((sent) => process.send?.(tally, sent));
  // A test may have left something open that would keep it.
  process.exit();
}
// Only while no other process uses it.
if (what !== "computing" && globSync(`${compiled}/*/*`).length > MOST_COMPILED) rmSync(compiled, { recursive: true });
enableCompileCache(compiled);
process.env["NODE_COMPILE_CACHE"] = compiled;
// What a run makes goes with it.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => process.exit(1));
const env = what === "computing" ? process.env : inMemory();
// At a low priority everything takes as long as others let it.
const patience = what === "computing" ? LAB_TIMEOUT_MS : UNIT_TIMEOUT_MS;
const computing: readonly Job[] = [
  ...(only === "" ? STATIC_CHECKS.map((check) => ({ places: 1, start: async () => staticCheck(...check) })) : []),
  ...filesOneByOne(wanted([...COMPUTING, ...(what === "check" ? [] : FUZZ)]), {
    ...UNIT_PLACE,
    timeout: patience,
    env,
  }),
];
if (what === "computing") {
  await sideBySide([...together(true, "patiently"), ...computing], availableParallelism());
  await new Promise((sent) => process.send?.(tally, sent));
  process.exit();
}
const shared = TOGETHER.flatMap(({ patterns }) => inOneProcess(patterns));
const unit = wanted(UNIT, [...shared, ...BESIDE, ...globSync([...MACHINE, ...COMPUTING]), ...ON_DISK]);
const machine = what === "all" ? wanted(MACHINE, MACHINE_ALONE) : [];
const machineAlone = what === "all" ? wanted(MACHINE_ALONE) : [];
const isWhole = what === "all" && only === "";
await sideBySide(
  [
    ...together(false),
    ...(isWhole ? [] : together(true)),
    ...filesOneByOne(wanted(BESIDE), { ...UNIT_PLACE, places: 0.5, env }),
    ...(isWhole ? [] : computing),
    ...filesOneByOne(unit, { ...UNIT_PLACE, env }),
    ...filesOneByOne([...wanted(ON_DISK), ...machine], UNIT_PLACE),
    ...filesOneByOne(machineAlone, { ...UNIT_PLACE, places: UNIT_PLACES }),
  ],
  UNIT_PLACES,
);
if (what === "all") {
  // What files of the lab make once for all of them: a Debian (test/lab/debian-tree.ts).
  const directory = mkdtempSync("/var/tmp/gi-run-");
  process.env["TEST_RUN_DIRECTORY"] = directory;
  process.on("exit", () => rmSync(directory, { recursive: true }));
  const inLab = { places: 1, timeout: LAB_TIMEOUT_MS };
  await sideBySide(filesOneByOne(wanted(LAB_ALONE), inLab), 1);
  // These leave half of the machine idle. SCHED_IDLE (sched(7)): what computes gets that half, and no more.
  await Promise.all([
    sideBySide(filesOneByOne(wanted(LAB_IN_PAIRS), inLab), 2),
    ...(isWhole ? [elsewhere(["computing"], ["chrt", "--idle", "0"])] : []),
  ]);
  const others = wanted(LAB, [...LAB_ALONE, ...LAB_IN_PAIRS, ...LAB_HEAVY]);
  await sideBySide(
    [...filesOneByOne(wanted(LAB_HEAVY), { ...inLab, places: HEAVY_PLACES }), ...filesOneByOne(others, inLab)],
    LAB_PLACES,
  );
}
if (tally.files === 0) {
  console.error(`No test file has “${only}” in its path.`);
  process.exit(2);
}
const unsteady = isWhole ? await againAlone(LAB_TIMEOUT_MS) : [];
process.exit(tellEnd(unsteady));

/** Each in a process of its own, as node:test has one queue of tests in each process. */
function together(isComputing: boolean, ...how: readonly string[]): readonly Job[] {
  return TOGETHER.flatMap(({ places, patterns, computes = false }, at) =>
    computes !== isComputing || inOneProcess(patterns).length === 0
      ? []
      : [{ places, start: async () => elsewhere(["together", only, String(at), ...how]) }],
  );
}

function inOneProcess(patterns: readonly string[]): readonly string[] {
  return wanted(patterns, [...globSync(MACHINE), ...ON_DISK, ...BESIDE]);
}

async function elsewhere(argv: readonly string[], within: readonly string[] = []): Promise<void> {
  const [program = "", ...rest] = [...within, process.execPath, ...process.execArgv];
  const child = fork(import.meta.filename, argv, { stdio: "inherit", env, execPath: program, execArgv: rest });
  const told = await new Promise<Tally | string>((resolve) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- both ends are this file
    child.on("message", (message) => resolve(message as Tally));
    child.on("close", (code, signal) => resolve(`the process ended: ${signal ?? code}`));
    child.on("error", ({ message }) => resolve(message));
  });
  if (typeof told !== "string") {
    addTally(told);
  } else if (within.length > 0) {
    console.log(`${argv.join(" ")}: ${told}. Again, without ${within.join(" ")}.`);
    await elsewhere(argv);
  } else {
    failed(`${argv.join(" ")}: ${told}`);
  }
}

/** Their files that were asked for, the longest first. */
function wanted(patterns: readonly string[], besides: readonly string[] = []): readonly string[] {
  return globSync(patterns)
    .filter((file) => file.includes(only) && !besides.includes(file))
    .toSorted((a, b) => rank(a) - rank(b) || patterns.indexOf(a) - patterns.indexOf(b) || (a < b ? -1 : 1));
}

function filesOneByOne(
  files: readonly string[],
  { places, ...how }: Readonly<{ places: number }> & Parameters<typeof testFiles>[1],
) {
  return files.map((file): Job => ({ places, start: async () => testFiles([file], how) }));
}

/** The longest have the lowest. */
function rank(file: string): number {
  return LONGEST.includes(file) ? LONGEST.indexOf(file) : LONGEST.length;
}
