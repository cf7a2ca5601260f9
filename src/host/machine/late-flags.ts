import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { MINUTE_MS } from "../../core/time.ts";

/**
 * Smaller heaps, and no Maglev compiler, whose working memory glibc keeps. Decisions are not slower. On the command line these
 * flags would also apply to the start, which would take up to a third more CPU time.
 */
const FLAGS = ["--no-maglev", "--optimize-for-size"];

/** The collections that shrink a heap cost half as much CPU time as a start, which is too much for a process that soon ends. */
const SETTLED_MS = 2 * MINUTE_MS;

/** Makes V8 save memory from now on. Call it in a long-running program once that is ready. */
export function saveMemoryFromNow(): void {
  for (const flag of FLAGS) setFlagsFromString(flag);
}

export function saveMemoryOnceSettled(afterMs = SETTLED_MS): void {
  setTimeout(saveMemoryFromNow, afterMs).unref();
}

/** Returns memory at once, for a process that will be idle for long. V8 collects only when it needs memory. */
export function collectGarbage(): void {
  saveMemoryFromNow();
  setFlagsFromString("--expose-gc");
  // Only a new context has the function.
  runInNewContext("gc()");
}
