import { setTimeout as pause } from "node:timers/promises";
import { messageOf, reportOnce } from "../../core/error.ts";

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

/** Never runs a task twice at once. A failure is logged once, and does not prevent the next run. */
export async function repeat({ everyMs, atOnce = false, failing, look }: Repeated): Promise<never> {
  const report = reportOnce((why) => console.error(`keeper: ${failing}: ${why}`));
  for (let isFirst = true; ; isFirst = false) {
    if (!isFirst || !atOnce) await pause(everyMs);
    try {
      await look();
      report(null);
    } catch (error) {
      report(messageOf(error));
    }
  }
}
