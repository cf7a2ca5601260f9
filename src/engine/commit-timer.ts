import { LIMITS } from "./limits.ts";

/** When the open transaction is committed. */
export class CommitTimer {
  readonly #commit: () => void;
  #isDue = false;
  #later: NodeJS.Timeout | null = null;
  #isLaterSet = false;

  constructor(commit: () => void) {
    this.#commit = commit;
  }

  /** At the end of this turn of the event loop, because a client waits for the answer. */
  soon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    setImmediate(this.#commit);
  }

  /** With the events that follow, or when the time is up, which starts with the first event of the transaction. */
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

  /** The transaction has ended. */
  ended(): void {
    this.#isDue = false;
    this.#isLaterSet = false;
  }
}
