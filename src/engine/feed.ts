export type Listener = (lastEventId: number) => void;

/** Tells subscribers up to which id events were committed. Each subscriber reads the events itself. */
export class Feed {
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
