import { cpus } from "node:os";
import { setTimeout as pause } from "node:timers/promises";

/** `places`: how many of the machine's places the job takes while it runs; half a place if it mostly waits. */
export type Job = Readonly<{ places: number; start: () => Promise<void> }>;

/** How long the processors are watched before a place is lent. */
const LOOK_MS = 3_000;
/** Share of all processors' time; with two processors, two fifths of one. */
const IDLE_SHARE = 0.2;

/**
 * Starts each job as soon as there are places for it, in this order, except that jobs may overtake one that waits for more places. A
 * job that takes all places is not overtaken, because it would come last. While the processors are still idle, lends up to `lent`
 * further places, one at a time, to jobs that take one or less.
 */
export async function sideBySide(jobs: readonly Job[], places: number, lent = 0): Promise<void> {
  const waiting = [...jobs];
  const running = new Set<Promise<void>>();
  const free = { own: places, lent };
  const begin = (at: number, of: keyof typeof free): void => {
    const [job] = waiting.splice(at, 1);
    if (job === undefined) return;
    free[of] -= job.places;
    const ended = job.start().finally(() => {
      free[of] += job.places;
      running.delete(ended);
    });
    running.add(ended);
  };
  while (waiting.length + running.size > 0) {
    const at = waiting.findIndex((job) => job.places <= free.own || job.places === places);
    if ((waiting[at]?.places ?? Infinity) <= free.own) {
      begin(at, "own");
      continue;
    }
    const lendable = free.lent < 1 ? -1 : waiting.findIndex((job) => job.places <= 1);
    if (lendable < 0) await Promise.race(running);
    else if (await idleBefore([...running])) begin(lendable, "lent");
  }
}

/** Whether the processors are idle for a while before one of these jobs ends. */
async function idleBefore(running: readonly Promise<void>[]): Promise<boolean> {
  const over = new AbortController();
  const idle = async (): Promise<boolean> => {
    for (;;) {
      const before = processorTimes();
      await pause(LOOK_MS, undefined, { signal: over.signal });
      const after = processorTimes();
      if ((after.idleMs - before.idleMs) / (after.allMs - before.allMs) >= IDLE_SHARE) return true;
    }
  };
  try {
    return await Promise.race([idle(), ...running.map(async (one) => one.then(() => false))]);
  } finally {
    over.abort();
  }
}

function processorTimes(): Readonly<{ idleMs: number; allMs: number }> {
  let idleMs = 0;
  let allMs = 0;
  for (const { times } of cpus()) {
    idleMs += times.idle;
    allMs += times.user + times.nice + times.sys + times.irq + times.idle;
  }
  return { idleMs, allMs };
}
