import { setFlagsFromString } from "node:v8";
import { MINUTE_MS } from "../../core/time.ts";

/**
 * Smaller heaps, and without V8's middle compiler, whose working memory glibc keeps: no decision is slower for it. On the command line
 * they would hold for the start too, and take up to a third more of the processor for it.
 */
const FLAGS = ["--no-maglev", "--optimize-for-size"];

/** The collections that make a heap small take as much of the processor as half a start: not worth it for one that soon ends again. */
const SETTLED_MS = 2 * MINUTE_MS;

/** For a program that stays: call it once it is ready. From then on V8 saves memory. */
export function saveMemoryFromNow(): void {
  for (const flag of FLAGS) setFlagsFromString(flag);
}

export function saveMemoryOnceSettled(afterMs = SETTLED_MS): void {
  setTimeout(saveMemoryFromNow, afterMs).unref();
}
