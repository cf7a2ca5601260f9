import { Worker } from "node:worker_threads";
import { messageOf } from "../../core/error.ts";
import { SECOND_MS } from "../../core/time.ts";
import type { ReplayAsked, ReplayReport } from "../../jobs/replay/run-replay.ts";
import { StoreDown, type TrialOutcome } from "../../surfaces/api/ports.ts";
import { threadProgram } from "./thread-program.ts";

/** The thread's input, and its single message. */
export type TrialOrder = Readonly<{ engineDb: string; asked: ReplayAsked }>;
export type TrialReply = Readonly<{ report: ReplayReport } | { down: string }>;

/** Within the time limit of a request (API_LIMITS.answerMs). */
const LONGEST_MS = 8 * SECOND_MS;
/** Megabytes of its heap. The history of a trial is SQLite's, with 16 MB in memory. */
const HEAP = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 4 };

/**
 * Decides recorded events again in a separate thread, one trial at a time: it takes seconds, and neither other answers nor
 * searches wait for it. The thread ends with its trial, or when its time is over.
 */
export function createTrialThread(
  engineDb: string,
  onTrouble: (why: string) => void,
  longestMs = LONGEST_MS,
  program = threadProgram("trials"),
) {
  let running: Worker | null = null;

  async function decide(asked: ReplayAsked): Promise<TrialOutcome> {
    if (running !== null) return { outcome: "busy" };
    const order: TrialOrder = { engineDb, asked };
    const worker = new Worker(program, { workerData: order, resourceLimits: HEAP });
    running = worker;
    worker.unref();
    const { promise, resolve, reject } = Promise.withResolvers<TrialOutcome>();
    const giveUp = (): void => resolve({ outcome: "too_long" });
    const timer = setTimeout(giveUp, longestMs);
    worker.once("message", (reply: TrialReply) => {
      if ("down" in reply) reject(new StoreDown(reply.down));
      else resolve({ outcome: "done", report: reply.report });
    });
    // For example if it needs more memory than it has.
    worker.once("error", (error) => {
      onTrouble(messageOf(error));
      giveUp();
    });
    // A trial that has answered has its outcome.
    worker.once("exit", giveUp);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      stop();
    }
  }

  function stop(): void {
    void running?.terminate();
    running = null;
  }

  return { decide, stop };
}
