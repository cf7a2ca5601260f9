import { Worker } from "node:worker_threads";
import { messageOf } from "../../core/error.ts";
import { SECOND_MS } from "../../core/time.ts";
import type { Answer, Asked, Question } from "../../guard/explain/questions.ts";
import { type Lookups, LookupsBusy, StoreDown } from "../../surfaces/api/ports.ts";
import { threadProgram } from "./thread-program.ts";

/** A question for the thread, and its answer. `bug`: with its stack. */
export type LookupOrder = Readonly<{ id: number; question: Question; asked: readonly unknown[] }>;
export type LookupReply = Readonly<{ id: number } & ({ value: unknown } | { down: string } | { bug: string })>;

export type LookupLimits = Readonly<{ mostWaiting: number; answerMs: number }>;
const LIMITS: LookupLimits = { mostWaiting: 64, answerMs: 5 * SECOND_MS };
/** Megabytes of its heap. The longest answer, 10,000 bans, takes less than ten. */
const HEAP = { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 2 };

type Waiting = Readonly<{ resolve: (value: unknown) => void; reject: (error: Error) => void; timer: NodeJS.Timeout }>;

/**
 * Answers in a thread with its own connection, one question after the other, so that no other answer waits for them. The
 * thread starts with the first question. If it fails, or takes too long, all waiting questions are refused, and the next question
 * starts a new one.
 */
export class LookupThread implements Lookups {
  readonly #path: string;
  readonly #onTrouble: (why: string) => void;
  readonly #limits: LookupLimits;
  readonly #program: URL;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | null = null;
  #lastId = 0;

  constructor(engineDb: string, onTrouble: (why: string) => void, limits = LIMITS, program = threadProgram("lookups")) {
    this.#path = engineDb;
    this.#onTrouble = onTrouble;
    this.#limits = limits;
    this.#program = program;
  }

  ask<Q extends Question>(question: Q, ...asked: Asked<Q>): Promise<Answer<Q>> {
    if (this.#waiting.size >= this.#limits.mostWaiting) return Promise.reject(new LookupsBusy("too many wait"));
    this.#worker ??= this.#start();
    const id = ++this.#lastId;
    const order: LookupOrder = { id, question, asked };
    const { promise, resolve, reject } = Promise.withResolvers<Answer<Q>>();
    const { answerMs } = this.#limits;
    const timer = setTimeout(() => this.#failed(`no answer within ${answerMs} ms`), answerMs);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the thread answers this question
    this.#waiting.set(id, { resolve: (value) => resolve(value as Answer<Q>), reject, timer });
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- that of a page, not of a thread
    this.#worker.postMessage(order);
    return promise;
  }

  stop(): void {
    this.#end("the web ends");
  }

  #start(): Worker {
    const worker = new Worker(this.#program, { workerData: this.#path, resourceLimits: HEAP });
    worker.unref();
    worker.on("message", (reply: LookupReply) => this.#answered(reply));
    const ended = (why: string): void => {
      if (this.#worker === worker) this.#failed(why);
    };
    worker.on("error", (error) => ended(messageOf(error)));
    worker.on("exit", (code) => ended(`its thread ended with ${code}`));
    return worker;
  }

  #answered(reply: LookupReply): void {
    const waiting = this.#waiting.get(reply.id);
    if (waiting === undefined) return;
    this.#waiting.delete(reply.id);
    clearTimeout(waiting.timer);
    if ("value" in reply) waiting.resolve(reply.value);
    else waiting.reject("down" in reply ? new StoreDown(reply.down) : new Error(reply.bug));
  }

  #failed(why: string): void {
    this.#onTrouble(why);
    this.#end(why);
  }

  #end(why: string): void {
    const worker = this.#worker;
    this.#worker = null;
    void worker?.terminate();
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer);
      reject(new LookupsBusy(why));
    }
    this.#waiting.clear();
  }
}
