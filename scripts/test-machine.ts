import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readFileSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";

const MEMORY = "/dev/shm";
/** Unit tests need at most a tenth of this at a time. Containers have only 64 MB by default. */
const ENOUGH_BYTES = 2 * 1024 ** 3;

/**
 * The environment for unit tests. Their temporary files are in memory, because otherwise they would mostly wait for the disk, to
 * which SQLite flushes each commit. If there is too little such memory, or it can't run programs (mount(8), noexec), returns the
 * process's own environment. The lab tests power losses and full disks, on disks.
 */
export function inMemory(): NodeJS.ProcessEnv {
  const directory = memoryDirectory();
  if (directory === null) return process.env;
  process.on("exit", () => rmSync(directory, { recursive: true, force: true }));
  return { ...process.env, TMPDIR: directory };
}

function memoryDirectory(): string | null {
  let directory: string | null = null;
  try {
    const { bavail, bsize } = statfsSync(MEMORY);
    if (bavail * bsize < ENOUGH_BYTES) return null;
    // A short name, because some of its directories have sockets.
    directory = mkdtempSync(join(MEMORY, "gi-"));
    // Like /tmp, because some tests run programs as unprivileged users.
    chmodSync(directory, 0o1777);
    const probe = join(directory, "probe");
    writeFileSync(probe, "#!/bin/sh\n", { mode: 0o755 });
    if (spawnSync(probe).status === 0) return directory;
  } catch {
    // There is no such directory, or this user may not use it.
  }
  if (directory !== null) rmSync(directory, { recursive: true });
  return null;
}

/** Times on the reference machine, for which the tests' deadlines are meant: one loop on each processor, and the start of a program. */
const REFERENCE = { loopsMs: 430, startMs: 3 } as const;
const WORK = "let x = 0; for (let i = 0; i < 1e8; i++) x = (x * 31 + i) | 0; process.exitCode = x === 1 ? 1 : 0;";
const STARTS = 50;
/** A slower machine is too slow for these tests. */
const MOST_SLOWNESS = 8;

/**
 * How many times slower this machine is than the reference, at least 1. It is 2 while an endless loop keeps each processor busy.
 * Also measures the start of a program: tests start thousands, which may be slow on virtual machines with fast processors.
 */
export async function measureSlowness(): Promise<number> {
  const from = performance.now();
  const workers = Array.from({ length: availableParallelism() }, () => new Worker(WORK, { eval: true }));
  await Promise.all(workers.map(async (worker) => once(worker, "exit")));
  const loops = (performance.now() - from) / REFERENCE.loopsMs;
  const times = Math.max(loops, programStartMs() / REFERENCE.startMs);
  return Math.min(Math.max(1, Math.round(times * 10) / 10), MOST_SLOWNESS);
}

function programStartMs(): number {
  const from = performance.now();
  for (let i = 0; i < STARTS; i++) spawnSync("true");
  return (performance.now() - from) / STARTS;
}

/** If scripts/test installs packages at the same time, it writes this to a pipe once they are there, and nothing if that fails. */
const READY = "ready\n";
const PIPE = "TEST_PACKAGES_FD";
/** Text of a test that asks whether something is installed (test/kit/needs.ts), or runs programs. */
const LOOKS = /kit\/(needs|own-etc|own-certificate|mail-queue|test-guard)\.ts"|"node:child_process"|runProgram\(/;

/** Whether the packages that tests need are installed. Resolves at once if no installation is running. */
export async function packagesThere(): Promise<boolean> {
  const fd = process.env[PIPE];
  // Processes that start after this need not wait.
  delete process.env[PIPE];
  return fd === undefined || (await readFile(`/dev/fd/${fd}`, "utf8")) === READY;
}

/** Whether a unit test needs packages. */
export function takesPackages(file: string): boolean {
  return LOOKS.test(readFileSync(file, "utf8"));
}
