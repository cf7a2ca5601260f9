import type { Millis } from "../../core/time.ts";
import type { Clock } from "../ports.ts";

/** How long to remember an answer, and a failure: almost zero if asking again is cheap. */
export type Lasts = Readonly<{ lastsMs: number; failureMs?: number }>;

/** An answer that concurrent callers share, and that is remembered for a while. */
export class Remembered<T extends Readonly<{ ok: boolean }>> {
  readonly #clock: Clock;
  readonly #lastsMs: number;
  readonly #failureMs: number;
  #answer: Readonly<{ at: Millis; lastsMs: number; value: Promise<T> }> | null = null;

  constructor(clock: Clock, { lastsMs, failureMs = 0 }: Lasts) {
    this.#clock = clock;
    this.#lastsMs = lastsMs;
    this.#failureMs = failureMs;
  }

  get(ask: () => Promise<T>): Promise<T> {
    const now = this.#clock.now();
    if (this.#answer !== null && Math.abs(now - this.#answer.at) < this.#answer.lastsMs) return this.#answer.value;
    const mine = { at: now, lastsMs: this.#lastsMs, value: ask() };
    this.#answer = mine;
    const failed = (): void => {
      if (this.#answer === mine) this.#answer = { ...mine, at: this.#clock.now(), lastsMs: this.#failureMs };
    };
    mine.value.then((value) => value.ok || failed(), failed);
    return mine.value;
  }
}
