/**
 * Runs the checks and the tests and counts them. `check` runs those that need neither root nor the mail programs; `all` also
 * runs the others and the lab. A second argument selects the test files whose path contains it.
 */
import { fork } from "node:child_process";
import { globSync, mkdtempSync, rmSync } from "node:fs";
import { enableCompileCache } from "node:module";
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { unmountBelow } from "../test/lab/mounts.ts";
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
import { inMemory, measureSlowness, packagesThere, takesPackages } from "./test-machine.ts";
import {
  addTally,
  againAlone,
  beginNoMore,
  endChildren,
  failed,
  hurryChildren,
  mayBegin,
  seconds,
  staticCheck,
  type Tally,
  tally,
  tellEnd,
  testFiles,
} from "./test-run.ts";

/** More places than cores, because some tests wait. */
const unitPlaces = (): number => availableParallelism() + (slowness < SLOW ? 3 : 1);
/** From this slowness on, fewer files run at once, because each would wait too long for a processor. */
const SLOW = 1.5;
/** A file takes a third of a core on average. Five keep two cores busy; with more, each would wait too long for a processor. */
const MOST_LAB_PLACES = 5;
const labPlaces = (): number => (slowness < SLOW ? MOST_LAB_PLACES : 2);
/** Two heavy files leave one place for another file. On a slow machine each takes all places. */
const HEAVY_PLACES = 2;

/** The cache is emptied at this many files, because programs that tests write to their own directories stay in it. */
const MOST_COMPILED = 20_000;
let slowness = Number(process.env["TEST_SLOWNESS"] ?? 1);
/** Fails a test that hangs, and in twice the time its file. Other tests are much faster. */
const unitTimeoutMs = (): number => 120_000 * slowness;
const unitPlace = () => ({ places: 1, timeout: unitTimeoutMs() });
const labTimeoutMs = (): number => 900_000 * slowness;

/** Places in addition for lab files while the processors are idle. */
const lentPlaces = (): number => Math.max(2, MOST_LAB_PLACES - labPlaces());

/** Which tests to run: `early` are those that need no packages, `late` the others. */
type When = "early" | "late" | "any";

const [what = "all", only = "", ...rest] = process.argv.slice(2);
const isWhole = what === "all" && only === "";
const hidden = ["/tmp", "/var/tmp"].find((place) => resolve().startsWith(`${place}/`));
if (isWhole && hidden !== undefined) {
  console.error(
    `This clone is below ${hidden}, which some tests replace with their own directory, so they would not find it. Move the clone elsewhere.`,
  );
  process.exit(2);
}

// Keeps compiled code for this process and its children, because each test file loads much of the program again.
const compiled = resolve("node_modules/.cache/tests");
if (what === "together") {
  enableCompileCache(compiled);
  const [part, when, patiently] = rest;
  const { patterns = [] } = TOGETHER[Number(part)] ?? {};
  const files = inOneProcess(patterns, when === "early" || when === "late" ? when : "any");
  const timeout = patiently === undefined ? unitTimeoutMs() : labTimeoutMs();
  await testFiles(files, { isolation: "none", timeout });
  console.log(`done  ${seconds(performance.now())} ${files.length} files: ${patterns.join(" ")}`);
  await new Promise((sent) => process.send?.(tally, sent));
  // Exits explicitly, because a test may have left something open that would keep this process alive.
  process.exit();
}
// Only while no other process uses the cache.
if (what !== "computing" && globSync(`${compiled}/*/*`).length > MOST_COMPILED) rmSync(compiled, { recursive: true });
enableCompileCache(compiled);
process.env["NODE_COMPILE_CACHE"] = compiled;
// A run leaves nothing behind.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => void endEarly());
if (what !== "computing") await measureAgain();
const env = what === "computing" ? process.env : inMemory();
if (what === "computing") {
  const ready = new Promise<void>((resolve) => process.once("message", () => resolve()));
  process.once("disconnect", () => process.exit(1));
  const late = [...together(true, "late", "patiently"), ...computing("late")].map(({ places, start }) => ({
    places,
    start: async () => ready.then(start),
  }));
  await sideBySide([...computing("early"), ...together(true, "early", "patiently"), ...late], availableParallelism());
  await new Promise((sent) => process.send?.(tally, sent));
  process.exit();
}
const packages = packagesThere();
// With SCHED_IDLE (sched(7)), tests that compute get only the time that installations and tests that measure time leave them.
const idly = isWhole ? elsewhere(["computing"], { within: ["chrt", "--idle", "0"], sentWhen: packages }) : null;
if (isWhole) {
  await sideBySide(units("early"), unitPlaces());
  await inTime(packages);
  await sideBySide([...units("late"), ...onMachine()], unitPlaces());
} else {
  await inTime(packages);
  // What computes keeps the processors busy until the end; what waits would not.
  await sideBySide(
    [...units("any"), ...together(true, "any"), ...computing("any"), ...(what === "all" ? onMachine() : [])],
    unitPlaces(),
  );
}
if (what === "all") {
  // For what the lab's files make once and share, such as a Debian (test/lab/debian-tree.ts).
  const directory = mkdtempSync("/var/tmp/gi-run-");
  process.env["TEST_RUN_DIRECTORY"] = directory;
  process.on("exit", () => {
    unmountBelow(directory);
    rmSync(directory, { recursive: true });
  });
  // Until now packages may have been installed beside the tests.
  await measureAgain();
  const lab = labPlaces();
  const others = wanted(LAB, [...LAB_ALONE, ...LAB_IN_PAIRS, ...LAB_HEAVY]);
  const jobs = [
    [lab, wanted(LAB_ALONE)],
    [lab / 2, wanted(LAB_IN_PAIRS)],
    [HEAVY_PLACES, wanted(LAB_HEAVY)],
    [1, others],
  ] as const;
  const runs = jobs.flatMap(([places, files]) => filesOneByOne(files, { places, timeout: labTimeoutMs() }));
  await sideBySide(runs, lab, lentPlaces());
  hurryChildren();
  await idly;
}
if (tally.files === 0) {
  console.error(`No test file has “${only}” in its path.`);
  process.exit(2);
}
const unsteady = isWhole ? await againAlone(labTimeoutMs(), slowness) : [];
process.exit(tellEnd(unsteady));

/** For the deadlines of all tests that are started from now on (`test/kit/patience.ts`). */
async function measureAgain(): Promise<void> {
  slowness = await measureSlowness();
  process.env["TEST_SLOWNESS"] = String(slowness);
  if (slowness >= SLOW)
    console.log(
      `This machine is ${slowness} times slower than deadlines assume: they are longer, and fewer files run side by side.`,
    );
}

/** Handles Ctrl-C. A second one does not wait. */
async function endEarly(): Promise<void> {
  beginNoMore();
  if (what !== "computing") console.log("Ending: removing what the tests made.");
  await endChildren();
  process.exit(1);
}

/** Ends the run if the packages could not be installed, because no later test can pass without them. */
async function inTime(packages: Promise<boolean>): Promise<void> {
  if (await packages) return;
  console.error("The packages that the tests need could not be installed (see above).");
  process.exit(1);
}

/** Checks and tests that compute and have their own process. At a low priority their time depends on the others. */
function computing(when: When): readonly Job[] {
  const timeout = what === "computing" ? labTimeoutMs() : unitTimeoutMs();
  const checks = only === "" && when !== "late" ? STATIC_CHECKS : [];
  return [
    ...checks.map((check) => ({ places: 1, start: async () => staticCheck(...check) })),
    ...filesOneByOne(wanted([...COMPUTING, ...(what === "check" ? [] : FUZZ)], [], when), { places: 1, timeout, env }),
  ];
}

/** Unit tests that do not compute for long. */
function units(when: When): readonly Job[] {
  const shared = TOGETHER.flatMap(({ patterns }) => inOneProcess(patterns, "any"));
  const others = wanted(UNIT, [...shared, ...BESIDE, ...globSync([...MACHINE, ...COMPUTING]), ...ON_DISK], when);
  return [
    ...together(false, when),
    ...filesOneByOne(wanted(BESIDE, [], when), { ...unitPlace(), places: 0.5, env }),
    ...filesOneByOne(others, { ...unitPlace(), env }),
    ...filesOneByOne(wanted(ON_DISK, [], when), unitPlace()),
  ];
}

function onMachine(): readonly Job[] {
  return [
    ...filesOneByOne(wanted(MACHINE, MACHINE_ALONE), unitPlace()),
    ...filesOneByOne(wanted(MACHINE_ALONE), { ...unitPlace(), places: unitPlaces() }),
  ];
}

/** Each group runs in a separate process, because node:test has one queue of tests per process. */
function together(isComputing: boolean, when: When, ...how: readonly string[]): readonly Job[] {
  return TOGETHER.flatMap(({ places, patterns, computes = false }, at) =>
    computes !== isComputing || inOneProcess(patterns, when).length === 0
      ? []
      : [{ places, start: async () => elsewhere(["together", only, String(at), when, ...how]) }],
  );
}

function inOneProcess(patterns: readonly string[], when: When): readonly string[] {
  return wanted(patterns, [...globSync(MACHINE), ...ON_DISK, ...BESIDE], when);
}

/** `within`: a command that runs the process. `sentWhen`: sends it a message once this is true. */
async function elsewhere(
  argv: readonly string[],
  { within = [], sentWhen }: Readonly<{ within?: readonly string[]; sentWhen?: Promise<boolean> }> = {},
): Promise<void> {
  await mayBegin();
  const [program = "", ...options] = [...within, process.execPath, ...process.execArgv];
  const child = fork(import.meta.filename, argv, { stdio: "inherit", env, execPath: program, execArgv: options });
  void sentWhen?.then((isSo) => isSo && child.connected && child.send("ready"));
  const found = await new Promise<Tally | string>((resolve) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- both ends are this file
    child.on("message", (message) => resolve(message as Tally));
    child.on("close", (code, signal) => resolve(`the process ended: ${signal ?? code}`));
    child.on("error", ({ message }) => resolve(message));
  });
  if (typeof found !== "string") {
    addTally(found);
  } else if (within.length > 0) {
    console.log(`${argv.join(" ")}: ${found}. Retrying without ${within.join(" ")}.`);
    await elsewhere(argv, sentWhen === undefined ? {} : { sentWhen });
  } else {
    failed(`${argv.join(" ")}: ${found}`);
  }
}

/** The requested files among these, the longest first. */
function wanted(patterns: readonly string[], besides: readonly string[] = [], when: When = "any"): readonly string[] {
  return globSync(patterns)
    .filter((file) => file.includes(only) && !besides.includes(file))
    .filter((file) => when === "any" || takesPackages(file) === (when === "late"))
    .toSorted((a, b) => rank(a) - rank(b) || patterns.indexOf(a) - patterns.indexOf(b) || (a < b ? -1 : 1));
}

function filesOneByOne(
  files: readonly string[],
  { places, ...how }: Readonly<{ places: number }> & Parameters<typeof testFiles>[1],
) {
  return files.map((file): Job => ({ places, start: async () => testFiles([file], how) }));
}

/** Lowest for the longest file. */
function rank(file: string): number {
  return LONGEST.includes(file) ? LONGEST.indexOf(file) : LONGEST.length;
}
