import { constants, setPriority } from "node:os";
import { parentPort, workerData } from "node:worker_threads";
import { messageOf } from "../../core/error.ts";
import { runReplay } from "../../jobs/replay/run-replay.ts";
import { openEngineInThread } from "../../store/open.ts";
import type { TrialOrder, TrialReply } from "./trials.ts";

/** The thread of the web that decides recorded events again (trials.ts). */

setPriority(constants.priority.PRIORITY_LOW);
// oxlint-disable-next-line unicorn/require-post-message-target-origin, typescript/no-unsafe-type-assertion -- no page; trials.ts sends it
parentPort?.postMessage(answerTo(workerData as TrialOrder));

function answerTo({ engineDb, asked }: TrialOrder): TrialReply {
  try {
    using db = openEngineInThread(engineDb);
    return { report: runReplay(db, asked) };
  } catch (error) {
    return { down: messageOf(error) };
  }
}
