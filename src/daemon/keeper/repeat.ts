import { setTimeout as pause } from "node:timers/promises";
import { messageOf } from "../../core/error.ts";

/** Something that is looked at again and again. */
export type Repeated = Readonly<{
  /** From the end of one look to the next. */
  everyMs: number;
  /** The first look comes without a pause before it. */
  atOnce?: boolean;
  /** The message for a look that throws or rejects, with the reason: "the logs could not be kept". */
  failing: string;
  /** May start something long: the next look waits for its end. */
  look: () => unknown;
}>;

/** Never two looks at once. One that fails is said, and does not keep the next one from coming. */
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
