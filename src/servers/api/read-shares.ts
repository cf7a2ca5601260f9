import { API_LIMITS } from "./limits.ts";
import { LookupsBusy } from "./ports.ts";

/** How many questions each session or token has under way: one that asks without end leaves room for others. */
export class ReadShares {
  readonly #running = new Map<string, number>();

  /** Rejects with `LookupsBusy` if this reader has its share already. */
  async run<T>(reader: string, read: () => Promise<T>): Promise<T> {
    const running = this.#running.get(reader) ?? 0;
    if (running >= API_LIMITS.readsOfOne) throw new LookupsBusy("too many of one reader wait");
    this.#running.set(reader, running + 1);
    try {
      return await read();
    } finally {
      const left = (this.#running.get(reader) ?? 1) - 1;
      if (left > 0) this.#running.set(reader, left);
      else this.#running.delete(reader);
    }
  }
}
