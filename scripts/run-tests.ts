/**
 * Runs the checks and the tests and counts them. `check`: what needs neither root nor the mail programs; `all`: that, what
 * needs them, and the lab. A second argument keeps only the test files whose path contains it.
 */
import { spawn } from "node:child_process";
import { globSync, rmSync } from "node:fs";
import { enableCompileCache } from "node:module";
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { finished } from "node:stream/promises";
import { run } from "node:test";

type Tally = {
  files: number;
  passed: number;
  failed: number;
  skipped: string[];
  failures: string[];
  /** Of each file that had a process of its own. */
  took: { file: string; durationMs: number }[];
};

/** The longest first. What tests alone use is found by a run of its own: without their files, the same names are unused. */
const STATIC_CHECKS: readonly (readonly [string, readonly string[]])[] = [
  ["lint", ["node_modules/.bin/oxlint", "--deny-warnings", "."]],
  ["types", ["node_modules/.bin/tsc", "-p", "."]],
  ["dead code", ["node_modules/.bin/knip", "--no-progress"]],
  ["code for tests alone", ["node_modules/.bin/knip", "--no-progress", "--production"]],
  ["format", ["node_modules/.bin/biome", "check", "--error-on-warnings", "."]],
];
/**
 * None of these leaves anything that another could notice, so one process takes them all: a third of the time. Files of
 * src/engine need three times as long in one process.
 */
const TOGETHER = ["core", "wire", "settings", "render", "adapters", "servers", "sources"].map(
  (layer) => `src/${layer}/**/*.test.ts`,
);
const UNIT = [
  "src/**/*.test.ts",
  "bench/**/*.test.ts",
  "test/house/*.test.ts",
  "test/kit/*.test.ts",
  "test/scenarios/*.test.ts",
  "test/mutants/*.test.ts",
  "test/scale/*.test.ts",
];
/** As root, with the mail programs or the users of a machine: seconds each. Not in `check`. */
const MACHINE = ["src/**/*.machine.test.ts"];
const FUZZ = ["test/fuzz/*.test.ts"];
/** Each makes network namespaces and a whole server. Mostly they wait, so three at a time are little slower each. */
const LAB = ["test/lab/*.test.ts", "test/e2e/*.test.ts", "test/dialogs/*.test.ts"];
const LAB_AT_ONCE = 3;
/**
 * What measures time in seconds or less: one at a time. They come first, and the first of them adds the system's users,
 * which two servers cannot do at the same time.
 */
const LAB_ALONE = labFiles([
  "e2e/cannot-be-asked",
  "e2e/flood",
  "e2e/guessing",
  "e2e/innocents",
  "e2e/known-address",
  "e2e/sign-ins",
  "e2e/slots",
  "e2e/slow-disk",
  "lab/firewall",
]);
/** What makes thousands of sign-ins or mails: a core for each. */
const LAB_HEAVY = labFiles(["e2e/spraying", "e2e/ladder", "e2e/verifier", "e2e/open-connections", "e2e/dns"]);
/** Those that take longest start first, or one of them would run by itself at the end. */
const LONGEST = [
  ...labFiles(["e2e/bare-debian", "e2e/thousand", "e2e/chaos", "e2e/root-writes", "e2e/alerts", "e2e/hijack"]),
  ...labFiles(["e2e/alert-conditions", "e2e/fail2ban", "e2e/neighbours", "e2e/accounts", "e2e/harvest"]),
  ...labFiles(["fuzz/engine", "scenarios/scenarios", "fuzz/replay"]),
];

/** How many of the slowest files are listed at the end. */
const SLOWEST = 10;
/** Programs that tests write to directories of their own stay in the cache, so it is emptied at this many files. */
const MOST_COMPILED = 5_000;
/** A file that hangs fails; none comes near these. */
const UNIT_TIMEOUT_MS = 120_000;
const LAB_TIMEOUT_MS = 900_000;

const tally: Tally = { files: 0, passed: 0, failed: 0, skipped: [], failures: [], took: [] };
const [what = "all", only = ""] = process.argv.slice(2);
const intolerant = process.env["CI"] === "true";

// Each test file loads much of the program again: what was compiled once is kept, for this process and for theirs.
const compiled = resolve("node_modules/.cache/tests");
if (globSync(`${compiled}/*/*`).length > MOST_COMPILED) rmSync(compiled, { recursive: true });
enableCompileCache(compiled);
process.env["NODE_COMPILE_CACHE"] = compiled;
const machine = globSync(MACHINE);
const together = globSync(TOGETHER).filter((file) => !machine.includes(file));
await Promise.all([
  only === "" ? staticChecks() : undefined,
  testFiles(TOGETHER, { isolation: "none", timeout: UNIT_TIMEOUT_MS }, machine),
]);
const elsewhere = what === "all" ? together : [...together, ...machine];
const inProcesses = [...UNIT, ...(what === "all" ? FUZZ : [])];
await testFiles(inProcesses, { concurrency: availableParallelism(), timeout: UNIT_TIMEOUT_MS }, elsewhere);
// The lab starts the product as an owner does.
delete process.env["NODE_COMPILE_CACHE"];
if (what === "all") {
  await testFiles(LAB_ALONE, { concurrency: 1, timeout: LAB_TIMEOUT_MS });
  await testFiles(LAB_HEAVY, { concurrency: availableParallelism(), timeout: LAB_TIMEOUT_MS });
  await testFiles(LAB, { concurrency: LAB_AT_ONCE, timeout: LAB_TIMEOUT_MS }, [...LAB_ALONE, ...LAB_HEAVY]);
}
if (tally.files === 0) {
  console.error(`No test file has “${only}” in its path.`);
  process.exit(2);
}
if (tally.took.length > SLOWEST) tellSlowest();
for (const reason of tally.skipped) console.log(`skipped: ${reason}`);
if (tally.failures.length > 0) console.log(`\nFailed:\n${tally.failures.map((line) => `  ${line}`).join("\n")}`);
console.log(`${tally.passed} passed, ${tally.failed} failed`);
process.exit(tally.failed > 0 ? 1 : 0);

function labFiles(names: readonly string[]): readonly string[] {
  return names.map((name) => `test/${name}.test.ts`);
}

/** Side by side, one on each core. */
async function staticChecks(): Promise<void> {
  const waiting = STATIC_CHECKS.values();
  const work = async (): Promise<void> => {
    for (const [name, argv] of waiting) await staticCheck(name, argv);
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
}

async function staticCheck(name: string, [program = "", ...argv]: readonly string[]): Promise<void> {
  const from = performance.now();
  const child = spawn(program, argv, { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const code = await new Promise<number>((resolve) => {
    child.on("error", () => resolve(127));
    child.on("close", (status) => resolve(status ?? 1));
  });
  report(code === 0, name, from);
  if (code !== 0) {
    tally.failures.push(name);
    console.log(output.trimEnd());
  }
}

function report(ok: boolean, name: string, from: number): void {
  if (ok) tally.passed += 1;
  else tally.failed += 1;
  console.log(`${ok ? "ok    " : "FAILED"} ${seconds(performance.now() - from)} ${name}`);
}

async function testFiles(
  patterns: readonly string[],
  how: Pick<NonNullable<Parameters<typeof run>[0]>, "concurrency" | "isolation" | "timeout">,
  besides: readonly string[] = [],
): Promise<void> {
  const files = globSync(patterns)
    .filter((file) => file.includes(only) && !besides.includes(file))
    .toSorted((a, b) => rank(a) - rank(b) || patterns.indexOf(a) - patterns.indexOf(b) || (a < b ? -1 : 1));
  tally.files += files.length;
  if (files.length === 0) return;
  const from = performance.now();
  const stream = run({ ...how, files });
  stream.on("test:stdout", ({ message }) => process.stdout.write(message));
  stream.on("test:stderr", ({ message }) => process.stderr.write(message));
  stream.on("test:pass", (passed) => {
    // A suite that is skipped counts as one: its tests are not even made.
    if (passed.skip !== undefined)
      skipped(`${placeOf(passed)}: ${typeof passed.skip === "string" ? passed.skip : "no reason given"}`);
    else if (passed.details.type !== "suite") tally.passed += 1;
  });
  stream.on("test:fail", (failed) => {
    const { error } = failed.details;
    // A suite fails with its tests; by itself when it could not be set up or taken down.
    if (failed.details.type === "suite" && !("failureType" in error && error.failureType === "hookFailed")) return;
    tally.failed += 1;
    tally.failures.push(placeOf(failed));
    console.log(`\nFAILED ${placeOf(failed)}\n${explain(error)}\n`);
  });
  stream.on("test:summary", ({ file, duration_ms: durationMs, success }) => {
    if (file === undefined) return;
    tally.took.push({ file: local(file), durationMs });
    console.log(`${success ? "ok    " : "FAILED"} ${seconds(durationMs)} ${local(file)}`);
  });
  await finished(stream.resume());
  if (how.isolation === "none") console.log(`done  ${seconds(performance.now() - from)} ${patterns.join(" ")}`);
}

/** The longest have the lowest. */
function rank(file: string): number {
  const place = LONGEST.indexOf(file);
  return place < 0 ? LONGEST.length : place;
}

/** Where a continuous integration says that nothing may be missing, a skip is a failure. */
function skipped(where: string): void {
  tally.skipped.push(where);
  if (!intolerant) return;
  tally.failed += 1;
  tally.failures.push(`${where} (CI=true allows no skip)`);
}

function tellSlowest(): void {
  const slowest = tally.took.toSorted((a, b) => b.durationMs - a.durationMs).slice(0, SLOWEST);
  console.log(`\nThe slowest files:\n${slowest.map((one) => `${seconds(one.durationMs)} ${one.file}`).join("\n")}\n`);
}

function placeOf(test: Readonly<{ name: string; file?: string | undefined; line?: number | undefined }>): string {
  return `${local(test.file ?? "")}:${test.line ?? 0} ${test.name}`;
}

function local(file: string): string {
  return file.replace(`${process.cwd()}/`, "");
}

function explain(error: Error): string {
  const cause = error.cause instanceof Error ? error.cause : error;
  return (cause.stack ?? cause.message)
    .split("\n")
    .filter((line) => !line.includes("node:internal"))
    .slice(0, 40)
    .join("\n");
}

function seconds(durationMs: number): string {
  return `${(durationMs / 1000).toFixed(1)}s`.padStart(7);
}
