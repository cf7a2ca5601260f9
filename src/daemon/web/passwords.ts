import { Worker } from "node:worker_threads";
import { messageOf } from "../../core/error.ts";
import { SECOND_MS } from "../../core/time.ts";
import { JudgesBusy, type PasswordJudges } from "../../servers/api/ports.ts";

export type JudgeLimits = Readonly<{ mostWaiting: number; judgeMs: number }>;
const LIMITS: JudgeLimits = { mostWaiting: 4, judgeMs: 8 * SECOND_MS };
/** Megabytes of its heap: the lists of guessable passwords take 30. */
const HEAP = { maxOldGenerationSizeMb: 96, maxYoungGenerationSizeMb: 4 };
/** As it was bundled, or as it is in a checkout. */
const PROGRAM = new URL(
  import.meta.url.endsWith(".ts") ? "./passwords-main.ts" : "./web-passwords.js",
  import.meta.url,
);

type Asked = Parameters<PasswordJudges["judgeSome"]>[0];
type Judged = readonly (string | null)[];

/**
 * Judges new passwords in a thread that loads the lists, answers one after the other and ends, so that their memory is the
 * system's again. One thread at a time; when too many wait, or one takes too long, it says so. The time runs while a caller waits
 * for his turn too, so that none is told "too late" whose password is set afterwards.
 */
export class PasswordThread implements PasswordJudges {
  readonly #limits: JudgeLimits;
  readonly #program: URL;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(limits = LIMITS, program = PROGRAM) {
    this.#limits = limits;
    this.#program = program;
  }

  async judge(asked: Asked[number]): Promise<string | null> {
    const judged: (string | null)[] = [];
    await this.#inTurn([asked], judged, this.#limits.judgeMs);
    const [problem] = judged;
    if (problem === undefined) throw new JudgesBusy("its thread judged nothing");
    return problem;
  }

  async judgeSome(asked: Asked, withinMs: number): Promise<Judged> {
    const judged: (string | null)[] = [];
    if (asked.length === 0 || withinMs <= 0) return judged;
    try {
      await this.#inTurn(asked, judged, Math.min(withinMs, this.#limits.judgeMs));
    } catch (error) {
      if (!(error instanceof JudgesBusy)) throw error;
    }
    return judged;
  }

  async #inTurn(asked: Asked, judged: (string | null)[], withinMs: number): Promise<void> {
    if (this.#waiting >= this.#limits.mostWaiting) throw new JudgesBusy("too many passwords wait");
    this.#waiting += 1;
    const over = new AbortController();
    const timer = setTimeout(() => over.abort(new Error("the time is over")), withinMs);
    const run = this.#last.then(() => this.#run(asked, judged, over.signal));
    this.#last = run.catch(() => undefined);
    return run.finally(() => {
      clearTimeout(timer);
      this.#waiting -= 1;
    });
  }

  async #run(asked: Asked, judged: (string | null)[], signal: AbortSignal): Promise<void> {
    if (signal.aborted) throw new JudgesBusy("the others took all the time");
    const worker = new Worker(this.#program, { workerData: asked, resourceLimits: HEAP });
    worker.unref();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    signal.addEventListener("abort", () => reject(signal.reason));
    worker.on("error", reject);
    worker.on("exit", (code) => reject(new Error(`its thread ended with ${code}`)));
    worker.on("message", (problem: string | null) => {
      if (judged.push(problem) === asked.length) resolve();
    });
    try {
      await promise;
    } catch (error) {
      throw new JudgesBusy(messageOf(error));
    } finally {
      worker.removeAllListeners("message");
      await worker.terminate();
    }
  }
}
