import { cpuUsage } from "node:process";

/**
 * The result of some work, and its cost: the CPU time of this process, in milliseconds. On a busy machine the work takes
 * longer, but hardly costs more.
 */
export function costOf<T>(work: () => T): Readonly<{ result: T; costMs: number }> {
  const from = cpuUsage();
  const result = work();
  const { user, system } = cpuUsage(from);
  return { result, costMs: (user + system) / 1_000 };
}
