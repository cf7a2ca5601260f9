import { Worker } from "node:worker_threads";
import { messageOf } from "../../core/error.ts";
import { SECOND_MS } from "../../core/time.ts";
import type { Answer, ArgumentsOf, Question } from "../../guard/explain/questions.ts";
import { LookupsBusy, StoreDown } from "../../surfaces/api/ports.ts";
import { threadProgram } from "./thread-program.ts";

/** A question for the thread, and its answer. `bug`: the stack of an error. */
export type LookupOrder = Readonly<{ id: number; question: Question; asked: readonly unknown[] }>;
export type LookupReply = Readonly<{ id: number } & ({ value: unknown } | { down: string } | { bug: string })>;

const LIMITS = { mostWaiting: 64, answerMs: 5 * SECOND_MS };
/** Megabytes of its heap. The longest answer (`BANS_ANSWERED`) takes a few. */
const HEAP = { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 2 };

type Waiting = Readonly<{ resolve: (value: unknown) => void; reject: (error: Error) => void; timer: NodeJS.Timeout }>;

/**
 * Answers long questions in a thread with its own connection, one after the other, so that no other answer waits for them. The thread
 * starts with the first question. If it fails or takes too long, all waiting questions are refused, and the next question starts a new
 * thread.
 */
export function createLookupThread(
  engineDb: string,
  onTrouble: (why: string) => void,
  limits = LIMITS,
  program = threadProgram("lookups"),
) {
  const waiting = new Map<number, Waiting>();
  let thread: Worker | null = null;
  let lastId = 0;

  function ask<Q extends Question>(question: Q, ...asked: ArgumentsOf<Q>): Promise<Answer<Q>> {
    if (waiting.size >= limits.mostWaiting) return Promise.reject(new LookupsBusy("too many questions are waiting"));
    thread ??= start();
    const id = ++lastId;
    const order: LookupOrder = { id, question, asked };
    const { promise, resolve, reject } = Promise.withResolvers<Answer<Q>>();
    const { answerMs } = limits;
    const timer = setTimeout(() => failed(`no answer within ${answerMs} ms`), answerMs);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the thread answers this question
    waiting.set(id, { resolve: (value) => resolve(value as Answer<Q>), reject, timer });
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- for windows, not threads
    thread.postMessage(order);
    return promise;
  }

  function start(): Worker {
    const worker = new Worker(program, { workerData: engineDb, resourceLimits: HEAP });
    worker.unref();
    worker.on("message", answered);
    const ended = (why: string): void => {
      if (worker === thread) failed(why);
    };
    worker.on("error", (error) => ended(messageOf(error)));
    worker.on("exit", (code) => ended(`its thread ended with ${code}`));
    return worker;
  }

  function answered(reply: LookupReply): void {
    const asked = waiting.get(reply.id);
    if (asked === undefined) return;
    waiting.delete(reply.id);
    clearTimeout(asked.timer);
    if ("value" in reply) asked.resolve(reply.value);
    else asked.reject("down" in reply ? new StoreDown(reply.down) : new Error(reply.bug));
  }

  function failed(why: string): void {
    onTrouble(why);
    end(why);
  }

  function end(why: string): void {
    void thread?.terminate();
    thread = null;
    for (const { reject, timer } of waiting.values()) {
      clearTimeout(timer);
      reject(new LookupsBusy(why));
    }
    waiting.clear();
  }

  return { ask, stop: () => end("the web ends") };
}
