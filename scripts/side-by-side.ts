/** `places`: how many of the machine's it takes while it runs; half a place, if it mostly waits. */
export type Job = Readonly<{ places: number; start: () => Promise<void> }>;

/** Starts each as soon as there are places for it: in this order, but for those that must wait for more places. */
export async function sideBySide(jobs: readonly Job[], places: number): Promise<void> {
  const waiting = [...jobs];
  const running = new Set<Promise<void>>();
  let free = places;
  while (waiting.length + running.size > 0) {
    const at = waiting.findIndex((job) => job.places <= free);
    const [job] = at < 0 ? [] : waiting.splice(at, 1);
    if (job === undefined) {
      await Promise.race(running);
      continue;
    }
    free -= job.places;
    const ended = job.start().finally(() => {
      free += job.places;
      running.delete(ended);
    });
    running.add(ended);
  }
}
