import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { lastLines, runProgram } from "../../adapters/machine/run-program.ts";
import { SECOND_MS } from "../../core/time.ts";
import type { Layout } from "../../settings/layout.ts";
import { listProcesses } from "../set-up/read-processes.ts";

/** What ends by a reload, and how long is waited for it: a client in the middle of a delivery finishes that first. */
const ENDING = [
  { name: "qmgr", patienceMs: 5 * SECOND_MS },
  { name: "smtp", patienceMs: SECOND_MS },
] as const;
const LOOK_MS = 20;

/**
 * `postfix reload` only sends a signal (postfix-script). A flush that comes before the queue manager of before has ended is
 * lost with it, and a client of before would try with the former settings. Null once they have ended, or why there was no reload.
 */
export async function reloadPostfix({ postfixConf, postfixQueue }: Layout): Promise<string | null> {
  const ending = childrenOf(join(postfixQueue, "pid", "master.pid"));
  const reload = await runProgram("postfix", ["-c", postfixConf, "reload"]);
  if (reload.code !== 0) return lastLines(reload);
  for (const { pid, patienceMs } of ending) {
    const deadline = performance.now() + patienceMs;
    while (existsSync(`/proc/${pid}`) && performance.now() < deadline) await pause(LOOK_MS);
  }
  return null;
}

/** The processes of these services that run now. */
function childrenOf(pidFile: string): readonly Readonly<{ pid: number; patienceMs: number }>[] {
  const master = existsSync(pidFile) ? Number(readFileSync(pidFile, "utf8")) : 0;
  const children = listProcesses().filter(({ parent }) => parent === master);
  return ENDING.flatMap(({ name, patienceMs }) =>
    children.filter(({ args }) => args[0] === name).map(({ pid }) => ({ pid, patienceMs })),
  );
}
