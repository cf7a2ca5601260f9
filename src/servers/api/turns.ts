/** Runs up to `atOnce` tasks at once. The others wait in order, for a limited time. */
export class Turns {
  readonly #atOnce: number;
  readonly #waitMs: number;
  /** Called when it is their turn. */
  readonly #waiting = new Set<() => void>();
  #running = 0;

  /** `waitMs`: maximum wait for a place. */
  constructor(atOnce: number, waitMs: number) {
    this.#atOnce = atOnce;
    this.#waitMs = waitMs;
  }

  /** Resolves with the result of `work`; `no_turn`: no place became free in time. */
  async run<R>(work: () => Promise<R>): Promise<R | "no_turn"> {
    if (!(await this.#enter())) return "no_turn";
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  async #enter(): Promise<boolean> {
    if (this.#running < this.#atOnce) {
      this.#running += 1;
      return true;
    }
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const goOn = (): void => resolve(true);
    const timer = setTimeout(() => {
      this.#waiting.delete(goOn);
      resolve(false);
    }, this.#waitMs);
    this.#waiting.add(goOn);
    return promise.finally(() => clearTimeout(timer));
  }

  /** The place goes to the next waiting task. */
  #leave(): void {
    for (const goOn of this.#waiting) {
      this.#waiting.delete(goOn);
      return goOn();
    }
    this.#running -= 1;
  }
}
