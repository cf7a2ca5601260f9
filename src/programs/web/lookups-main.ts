import { constants, setPriority } from "node:os";
import { parentPort, workerData } from "node:worker_threads";
import { answerQuestion } from "../../guard/explain/questions.ts";
import { openEngineInThread } from "../../store/open.ts";
import { StoreDown } from "../../surfaces/api/ports.ts";
import type { LookupOrder, LookupReply } from "./lookups.ts";
import { createWebStore } from "./store.ts";

/** The thread of the web that answers questions about many rows, with its own connection (lookups.ts). */

setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
const store = createWebStore(String(workerData), () => undefined, openEngineInThread);

parentPort?.on("message", ({ id, question, asked }: LookupOrder) => {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the web sends what this question needs
  const reply = replyTo(id, () => answerQuestion(store.queries, question, asked as never));
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- for windows, not threads
  parentPort?.postMessage(reply);
});

function replyTo(id: number, answer: () => unknown): LookupReply {
  try {
    return { id, value: answer() };
  } catch (error) {
    if (error instanceof StoreDown) return { id, down: error.message };
    return { id, bug: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}
