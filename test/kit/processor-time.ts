import { cpuUsage } from "node:process";

/** The result of some work, and its CPU time in this process in milliseconds, which hardly depends on the load. */
export function costOf<T>(work: () => T): Readonly<{ result: T; costMs: number }> {
  const from = cpuUsage();
  const result = work();
  const { user, system } = cpuUsage(from);
  return { result, costMs: (user + system) / 1_000 };
}
