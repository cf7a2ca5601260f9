import { existsSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";

/** Server and load never share a core, where there are two. */
export const SERVER_CPU = "0";
export const LOAD_CPU = String(availableParallelism() > 1 ? availableParallelism() - 1 : 0);

/** Before everything else that the machine does: what else runs must not decide who is faster. Alike for all. */
const PRIORITY = ["nice", "-n", "-10"];

const AUTOGROUP = "/proc/self/autogroup";

/** Where the kernel groups processes by session (sched(7), autogroup), `nice` counts only among those of one. */
export function goFirst(): void {
  if (existsSync(AUTOGROUP)) writeFileSync(AUTOGROUP, "-10");
}

export function pinned(cpu: string, argv: readonly string[]): readonly string[] {
  return ["taskset", "-c", cpu, ...PRIORITY, ...argv];
}
