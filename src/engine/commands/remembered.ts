import type { Millis } from "../../core/time.ts";
import type { Clock } from "../ports.ts";

/** An answer that is asked for once, however many ask at the same time, and counts for a while. A failure does not. */
export class Remembered<T extends Readonly<{ ok: boolean }>> {
  readonly #clock: Clock;
  readonly #lastsMs: number;
  #answer: Readonly<{ at: Millis; value: Promise<T> }> | null = null;

  constructor(clock: Clock, lastsMs: number) {
    this.#clock = clock;
    this.#lastsMs = lastsMs;
  }

  get(ask: () => Promise<T>): Promise<T> {
    const now = this.#clock.now();
    if (this.#answer !== null && Math.abs(now - this.#answer.at) < this.#lastsMs) return this.#answer.value;
    const mine = { at: now, value: ask() };
    this.#answer = mine;
    const forget = (): void => {
      if (this.#answer === mine) this.#answer = null;
    };
    mine.value.then((value) => value.ok || forget(), forget);
    return mine.value;
  }
}
