import { once } from "node:events";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";

/** How long each processor of the reference machine takes: the deadlines of the tests are written for that machine. */
const REFERENCE_MS = 430;
const WORK = "let x = 0; for (let i = 0; i < 1e8; i++) x = (x * 31 + i) | 0; process.exitCode = x === 1 ? 1 : 0;";
/** A machine on which all takes longer than that is too slow for these tests. */
const MOST_SLOWNESS = 8;

/** How many times slower all processors together are than those of the reference: 2 with an endless loop beside each. At least 1. */
export async function measureSlowness(): Promise<number> {
  const from = performance.now();
  const workers = Array.from({ length: availableParallelism() }, () => new Worker(WORK, { eval: true }));
  await Promise.all(workers.map(async (worker) => once(worker, "exit")));
  const times = (performance.now() - from) / REFERENCE_MS;
  return Math.min(Math.max(1, Math.round(times * 10) / 10), MOST_SLOWNESS);
}
