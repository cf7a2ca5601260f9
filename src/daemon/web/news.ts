import type { News } from "../../servers/api/ports.ts";

type Watch = Readonly<{ ended: Promise<unknown>; close: () => void }>;

/** How long to wait before asking again after the guard has gone. */
const RETRY_MS = 1_000;
/** The guard reports every commit; readers of a live view need no more than this. */
const PAUSE_MS = 100;

/**
 * Passes the guard's news of new events to all live streams, at most ten times a second. Asks again when the guard
 * returns, which then answers at once, so commits during its absence are reported.
 */
export class GuardNews implements News {
  readonly #watch: (onEvent: () => void) => Watch;
  readonly #listeners = new Set<() => void>();
  #watching: Watch | null = null;
  #isStopped = false;
  #retry: NodeJS.Timeout | undefined;
  #pause: NodeJS.Timeout | undefined;

  constructor(watch: (onEvent: () => void) => Watch) {
    this.#watch = watch;
  }

  subscribe(onNews: () => void): () => void {
    this.#listeners.add(onNews);
    return () => this.#listeners.delete(onNews);
  }

  start(): void {
    if (this.#isStopped) return;
    this.#watching = this.#watch(() => this.#tell());
    void this.#watching.ended.then(() => {
      if (!this.#isStopped) this.#retry = setTimeout(() => this.start(), RETRY_MS);
    });
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#retry);
    clearTimeout(this.#pause);
    this.#watching?.close();
  }

  #tell(): void {
    this.#pause ??= setTimeout(() => {
      this.#pause = undefined;
      for (const listener of this.#listeners) listener();
    }, PAUSE_MS);
  }
}
