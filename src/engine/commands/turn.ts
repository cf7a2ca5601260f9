import type { CommandError, Reply } from "../../wire/control/control.ts";

type Run<T extends Reply> = () => Promise<T> | T;

/** Runs commands one after the other; some wait, and more are refused. */
export class Turn {
  readonly #mostWaiting: number;
  readonly #busy: string;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  /** `busy`: the sentence for refused commands. */
  constructor(mostWaiting: number, busy: string) {
    this.#mostWaiting = mostWaiting;
    this.#busy = busy;
  }

  take<T extends Reply>(run: Run<T>): Promise<T> | CommandError {
    if (this.#waiting >= this.#mostWaiting)
      return { ok: false, kind: "failed", message: this.#busy, next: "Try again in a few seconds." };
    this.#waiting += 1;
    const done = this.#last.then(run).finally(() => {
      this.#waiting -= 1;
    });
    this.#last = done.catch(() => undefined);
    return done;
  }
}
