import { setTimeout as pause } from "node:timers/promises";
import { messageOf } from "../../core/error.ts";

/** A task that runs repeatedly. */
export type Repeated = Readonly<{
  /** Pause from the end of one run to the next. */
  everyMs: number;
  /** The first run starts without a pause. */
  atOnce?: boolean;
  /** The log message if a run throws or rejects: "the logs could not be kept". */
  failing: string;
  /** May start long work: the next run waits for its end. */
  look: () => unknown;
}>;

/** Never runs twice at once. A failed run is logged, and does not prevent the next one. */
export async function repeat({ everyMs, atOnce = false, failing, look }: Repeated): Promise<never> {
  for (let isFirst = true; ; isFirst = false) {
    if (!isFirst || !atOnce) await pause(everyMs);
    try {
      await look();
    } catch (error) {
      console.error(`keeper: ${failing}: ${messageOf(error)}`);
    }
  }
}
