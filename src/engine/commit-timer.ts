import { LIMITS } from "./limits.ts";

/** Decides when the open transaction is committed. */
export class CommitTimer {
  readonly #commit: () => void;
  #isDue = false;
  #later: NodeJS.Timeout | null = null;
  #isLaterSet = false;

  constructor(commit: () => void) {
    this.#commit = commit;
  }

  /** Commits at the end of this turn of the event loop, because a client waits for the answer. */
  soon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    setImmediate(this.#commit);
  }

  /** Commits with later events, or when the time is over, which starts with the first event of the transaction. */
  later(): void {
    if (this.#isLaterSet) return;
    this.#isLaterSet = true;
    if (this.#later !== null) this.#later.refresh();
    else
      this.#later = setTimeout(() => {
        this.#isLaterSet = false;
        this.#commit();
      }, LIMITS.uncommittedMs);
  }

  /** Call it when the transaction has ended. */
  ended(): void {
    this.#isDue = false;
    this.#isLaterSet = false;
  }
}
