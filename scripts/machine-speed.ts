import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";

/** How long each takes on the reference machine, for which the deadlines of the tests are written: one loop for each processor, and the start of a program. */
const REFERENCE = { loopsMs: 430, startMs: 3 } as const;
const WORK = "let x = 0; for (let i = 0; i < 1e8; i++) x = (x * 31 + i) | 0; process.exitCode = x === 1 ? 1 : 0;";
const STARTS = 50;
/** A machine on which all takes longer than that is too slow for these tests. */
const MOST_SLOWNESS = 8;

/**
 * How many times slower this machine is than the reference: 2 with an endless loop beside each processor. At least 1. The tests start
 * thousands of programs, which may be slow although the processors are not, as on some virtual machines.
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
