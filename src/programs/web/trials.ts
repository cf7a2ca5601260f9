import { messageOf } from "../../core/error.ts";
import { SECOND_MS } from "../../core/time.ts";
import type { ReplayAsked, ReplayReport } from "../../jobs/replay/run-replay.ts";
import { StoreDown, type TrialOutcome } from "../../surfaces/api/ports.ts";
import { runThread, threadProgram } from "./thread-program.ts";

/** The thread's input, and its single message. */
export type TrialOrder = Readonly<{ engineDb: string; asked: ReplayAsked }>;
export type TrialReply = Readonly<{ report: ReplayReport } | { down: string }>;

/** Within the time limit of a request (API_LIMITS.answerMs). */
const LONGEST_MS = 8 * SECOND_MS;
/** Megabytes of its heap. The history of a trial is SQLite's, with 16 MB in memory. */
const HEAP = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 4 };

/**
 * Decides recorded events again in a separate thread, one trial at a time. A trial takes seconds, and neither other answers nor searches
 * wait for it. The thread ends with its trial, or when the time is up.
 */
export function createTrialThread(
  engineDb: string,
  onTrouble: (why: string) => void,
  longestMs = LONGEST_MS,
  program = threadProgram("trials"),
) {
  let running: AbortController | null = null;
  const stop = (): void => running?.abort();

  async function decide(asked: ReplayAsked): Promise<TrialOutcome> {
    if (running !== null) return { outcome: "busy" };
    running = new AbortController();
    const { signal } = running;
    const timer = setTimeout(stop, longestMs);
    const workerData: TrialOrder = { engineDb, asked };
    const replies: TrialReply[] = [];
    try {
      await runThread(program, { workerData, resourceLimits: HEAP, signal }, replies, 1);
    } catch (error) {
      // For example, it ran out of memory.
      if (!signal.aborted) onTrouble(messageOf(error));
    } finally {
      clearTimeout(timer);
      running = null;
    }
    const [reply] = replies;
    if (reply === undefined) return { outcome: "too_long" };
    if ("down" in reply) throw new StoreDown(reply.down);
    return { outcome: "done", report: reply.report };
  }

  return { decide, stop };
}
