import { existsSync, readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { lastLines, runProgram } from "../../../adapters/machine/run-program.ts";
import { listProcesses } from "../../set-up/running/read-processes.ts";

/** A process of the master by its name, and how long to wait for its end after the signal, in milliseconds. */
type Ending = Readonly<{ name: string; patienceMs: number }>;

const LOOK_MS = 20;

/**
 * Runs a command that only sends the master a signal. Returns null once its processes that the signal ends have ended, or after
 * the wait; otherwise the reason why the reload failed.
 */
export async function reloadBySignal(
  [program, ...argv]: readonly [string, ...string[]],
  pidFile: string,
  endings: readonly Ending[],
): Promise<string | null> {
  const ending = childrenOf(pidFile, endings);
  const reload = await runProgram(program, argv);
  if (reload.code !== 0) return lastLines(reload);
  const began = performance.now();
  for (const { pid, patienceMs } of ending)
    while (existsSync(`/proc/${pid}`) && performance.now() - began < patienceMs) await pause(LOOK_MS);
  return null;
}

function childrenOf(
  pidFile: string,
  endings: readonly Ending[],
): readonly Readonly<{ pid: number; patienceMs: number }>[] {
  const master = existsSync(pidFile) ? Number(readFileSync(pidFile, "utf8")) : 0;
  const children = listProcesses().filter(({ parent }) => parent === master);
  return endings.flatMap(({ name, patienceMs }) =>
    children.filter(({ args }) => args[0] === name).map(({ pid }) => ({ pid, patienceMs })),
  );
}
