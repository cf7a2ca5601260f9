import { spawn, spawnSync } from "node:child_process";
import { finished } from "node:stream/promises";
import { run } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { signal } from "../src/host/running/processes.ts";
import { listProcesses, nameOf, type Process, withDescendants } from "../src/host/running/read-processes.ts";
import { GO } from "./test-files.ts";

/** Results of the tests in this process and in those that it started. */
export type Tally = {
  files: number;
  passed: number;
  failed: number;
  skipped: string[];
  failures: Failure[];
  took: { file: string; durationMs: number }[]; // for each file that had its own process
};
/** `file`: null for a test without a file. */
type Failure = Readonly<{ file: string | null; what: string }>;
/** `timeout`: milliseconds that each test may take. */
type How = Readonly<{ timeout: number }> & Pick<NonNullable<Parameters<typeof run>[0]>, "isolation" | "env">;

/** How many of the slowest files are listed at the end. */
const SLOWEST = 10;
/** If more files than this fail, that is not a coincidence. Twice as many on a machine that is twice as slow. */
const MOST_AGAIN = 5;
const TEST_FILE = /\.test\.ts$/;
const intolerant = process.env["CI"] === "true";

export const tally = emptyTally();

export function addTally(other: Tally): void {
  tally.files += other.files;
  tally.passed += other.passed;
  tally.failed += other.failed;
  tally.skipped.push(...other.skipped);
  tally.failures.push(...other.failures);
  tally.took.push(...other.took);
}

export function failed(what: string, file: string | null = null, into = tally): void {
  into.failed += 1;
  into.failures.push({ file, what });
}

let isOver = false;

/** Lets nothing start from now on. */
export function beginNoMore(): void {
  isOver = true;
}

/** Awaited before anything is started: never resolves once the run is ending. */
export async function mayBegin(): Promise<void> {
  if (isOver) await new Promise(() => undefined);
}

export async function staticCheck(name: string, [program = "", ...argv]: readonly string[]): Promise<void> {
  await mayBegin();
  const from = performance.now();
  const child = spawn(program, argv, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...GO } });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const code = await new Promise<number>((resolve) => {
    child.on("error", () => resolve(127));
    child.on("close", (status) => resolve(status ?? 1));
  });
  console.log(`${code === 0 ? "ok    " : "FAILED"} ${seconds(performance.now() - from)} ${name}`);
  if (code === 0) {
    tally.passed += 1;
    return;
  }
  failed(name);
  console.log(output.trimEnd());
}

export async function testFiles(files: readonly string[], how: How, into = tally): Promise<void> {
  await mayBegin();
  into.files += files.length;
  // A test that times out may leave something open that would keep its process, and so this run, alive.
  const stream = run({
    ...how,
    files,
    ...(how.isolation !== "none" && { signal: AbortSignal.timeout(Math.ceil(2 * how.timeout)) }),
  });
  stream.on("test:stdout", ({ message }) => process.stdout.write(message));
  stream.on("test:stderr", ({ message }) => process.stderr.write(message));
  stream.on("test:pass", (passed) => {
    // A skipped suite counts as one test, because its tests are never created.
    if (passed.skip !== undefined)
      skipped(`${placeOf(passed)}: ${typeof passed.skip === "string" ? passed.skip : "no reason given"}`, into);
    else if (passed.details.type !== "suite") into.passed += 1;
  });
  stream.on("test:fail", (test) => {
    const { error } = test.details;
    // A suite fails along with its tests, so it counts only if its own hook failed.
    if (test.details.type === "suite" && !("failureType" in error && error.failureType === "hookFailed")) return;
    // A test may come from a file that several test files share.
    const file = files.length === 1 ? files[0] : local(test.file ?? "");
    failed(placeOf(test), file !== undefined && TEST_FILE.test(file) ? file : null, into);
    console.log(`\nFAILED ${placeOf(test)}\n${explain(error)}\n`);
  });
  stream.on("test:summary", ({ file, duration_ms: durationMs, success }) => {
    if (file === undefined) return;
    into.took.push({ file: local(file), durationMs });
    console.log(`${success ? "ok    " : "FAILED"} ${seconds(durationMs)} ${local(file)}`);
  });
  await finished(stream.resume());
}

/**
 * If few files failed, runs them again, one at a time, and returns those that pass then. They count as passed and are listed at the
 * end: each is a bug to find, but casts no doubt on the rest of this run.
 */
export async function againAlone(timeout: number, slowness: number): Promise<readonly string[]> {
  const files = new Set(tally.failures.map(({ file }) => file));
  if (files.size > MOST_AGAIN * slowness) return [];
  const unsteady: string[] = [];
  for (const file of files) {
    if (file === null) continue;
    console.log(`Running again: ${file}`);
    const second = emptyTally();
    await testFiles([file], { timeout }, second);
    if (second.failed > 0 || second.passed === 0) continue;
    const passed = tally.failures.filter((one) => one.file === file);
    tally.failures = tally.failures.filter((one) => one.file !== file);
    tally.failed -= passed.length;
    tally.passed += passed.length;
    unsteady.push(...passed.map(({ what }) => what));
  }
  return unsteady;
}

export function tellEnd(unsteady: readonly string[]): number {
  if (tally.took.length > SLOWEST) tellSlowest();
  for (const reason of tally.skipped) console.log(`skipped: ${reason}`);
  tellList("Flaky: failed beside others, passed alone (each is a bug to find)", unsteady);
  const failed = tally.failures.map(({ what }) => what);
  tellList("Failed", failed);
  console.log(`${tally.passed} passed, ${tally.failed} failed`);
  return tally.failed > 0 ? 1 : 0;
}

/** Notes a skip, which is a failure in continuous integration, where nothing may be missing. */
function skipped(where: string, into: Tally): void {
  into.skipped.push(where);
  if (intolerant) failed(`${where} (CI=true allows no skip)`, null, into);
}

function tellSlowest(): void {
  const slowest = tally.took.toSorted((a, b) => b.durationMs - a.durationMs).slice(0, SLOWEST);
  console.log(`\nThe slowest files:\n${slowest.map((one) => `${seconds(one.durationMs)} ${one.file}`).join("\n")}\n`);
}

function tellList(title: string, lines: readonly string[]): void {
  if (lines.length > 0) console.log(`\n${title}:\n${lines.map((line) => `  ${line}`).join("\n")}`);
}

function emptyTally(): Tally {
  return { files: 0, passed: 0, failed: 0, skipped: [], failures: [], took: [] };
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

export function seconds(durationMs: number): string {
  return `${(durationMs / 1000).toFixed(1)}s`.padStart(7);
}

/** Time for the tests to remove what they made: servers, namespaces, mounts, folders. */
const CLEAN_UP_MS = 30_000;
const LOOK_MS = 50;

/** Ends what this process has started, waits for that, and kills whatever is left. */
export async function endChildren(): Promise<void> {
  const begun = below();
  for (const { pid, parent } of begun) if (parent === process.pid) signal(pid, "SIGTERM");
  const deadline = performance.now() + CLEAN_UP_MS;
  while (below().some(({ parent }) => parent === process.pid) && performance.now() < deadline) await pause(LOOK_MS);
  const left = new Set([...startedBy(new Set(begun.map(({ pid }) => pid))), ...below()].map(nameOf));
  for (const one of begun) if (left.has(nameOf(one))) signal(one.pid, "SIGKILL");
}

/** Gives this process's children a normal share of the processors (chrt(1)), of which SCHED_IDLE gets almost none on a busy machine. */
export function hurryChildren(): void {
  for (const { pid } of below()) spawnSync("chrt", ["--all-tasks", "--other", "--pid", "0", String(pid)]);
}

function below(): readonly Process[] {
  return startedBy(new Set([process.pid])).filter(({ pid }) => pid !== process.pid);
}

/** These processes and all that they started, even if the parents have ended. */
function startedBy(pids: ReadonlySet<number>): readonly Process[] {
  return withDescendants(listProcesses(), ({ pid, parent }) => pids.has(pid) || pids.has(parent));
}
