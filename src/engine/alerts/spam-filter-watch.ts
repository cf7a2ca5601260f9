import type { Clock, Notices, Outcome } from "../ports.ts";

export type SpamFilterWatchParts = Readonly<{
  ping: () => Promise<Outcome>;
  notices: Notices;
  clock: Clock;
}>;

/** How often the filter is asked, and how long it may be silent. It restarts within seconds. Milliseconds. */
const ASK_EVERY_MS = 4_000;
const PATIENCE_MS = 8_000;

/** Tells the owner when the spam filter is dead or frozen. */
export class SpamFilterWatch {
  readonly #parts: SpamFilterWatchParts;
  #askedAt = Number.NEGATIVE_INFINITY;
  #silentSince: number | null = null;

  constructor(parts: SpamFilterWatchParts) {
    this.#parts = parts;
  }

  /** Call it about every second. */
  async look(): Promise<void> {
    const { clock, notices, ping } = this.#parts;
    const now = clock.now();
    if (now - this.#askedAt < ASK_EVERY_MS) return;
    this.#askedAt = now;
    const answer = await ping();
    if (answer.ok) {
      this.#silentSince = null;
      notices.clear("spam_filter_down");
      return;
    }
    this.#silentSince ??= now;
    if (clock.now() - this.#silentSince >= PATIENCE_MS) notices.raise("spam_filter_down", answer.reason);
  }
}
