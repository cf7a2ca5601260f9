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

  /** Commits together with later events, at most `LIMITS.uncommittedMs` after the first call in the transaction. */
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

type Listener = (lastEventId: number) => void;

/** Passes the id of the newest committed event to subscribers, which read the events themselves. */
export class CommitFeed {
  readonly #listeners = new Set<Listener>();
  #lastEventId = 0;

  publish(lastEventId: number): void {
    if (lastEventId === this.#lastEventId) return;
    this.#lastEventId = lastEventId;
    for (const listener of this.#listeners) listener(lastEventId);
  }

  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
