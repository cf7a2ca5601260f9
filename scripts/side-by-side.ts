import { cpus } from "node:os";

/** `places`: how many of the machine's it takes while it runs; half a place, if it mostly waits. */
export type Job = Readonly<{ places: number; start: () => Promise<void> }>;

/** With so much of the processors idle, one more job that takes a single place starts, though all places are taken. */
const IDLE_SHARE = 0.2;
/** A job that has just started has not shown yet how much it computes. */
const LOOK_MS = 8_000;

/**
 * Starts each as soon as there are places for it: in this order, but for those that must wait for more places. `most`: so many
 * places may be taken while the processors are idle.
 */
export async function sideBySide(jobs: readonly Job[], places: number, most = places): Promise<void> {
  const waiting = [...jobs];
  const running = new Set<Promise<void>>();
  let free = places;
  const start = (isNext: (job: Job) => boolean): boolean => {
    const at = waiting.findIndex(isNext);
    const [job] = at < 0 ? [] : waiting.splice(at, 1);
    if (job === undefined) return false;
    free -= job.places;
    const ended = job.start().finally(() => {
      free += job.places;
      running.delete(ended);
    });
    running.add(ended);
    return true;
  };
  const idle = new IdleShare();
  const look = setInterval(() => {
    const share = idle.sinceLastAsked();
    if (share >= IDLE_SHARE && free > places - most) start((job) => job.places <= 1);
  }, LOOK_MS);
  try {
    while (waiting.length + running.size > 0) if (!start((job) => job.places <= free)) await Promise.race(running);
  } finally {
    clearInterval(look);
  }
}

/** The share of the processors' time in which they had nothing to do. */
class IdleShare {
  #before = ticks();

  sinceLastAsked(): number {
    const now = ticks();
    const [idle, all] = [now.idle - this.#before.idle, now.all - this.#before.all];
    this.#before = now;
    return all === 0 ? 0 : idle / all;
  }
}

function ticks(): Readonly<{ idle: number; all: number }> {
  const times = cpus().flatMap(({ times: { user, nice, sys, idle, irq } }) => ({
    idle,
    all: user + nice + sys + idle + irq,
  }));
  return { idle: sum(times.map(({ idle }) => idle)), all: sum(times.map(({ all }) => all)) };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
