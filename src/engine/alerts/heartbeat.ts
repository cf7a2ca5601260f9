import type { Clock, Log, Outcome } from "../ports.ts";

export type HeartbeatParts = Readonly<{
  ping: () => Promise<Outcome>;
  /** Whether the server is healthy. */
  isWell: () => boolean;
  clock: Clock;
  log: Log;
}>;

/** Notifies an outside watcher while the server is healthy. Silence is the alarm. */
export class Heartbeat {
  readonly #parts: HeartbeatParts;
  #at = Number.NEGATIVE_INFINITY;
  #failing = false;

  constructor(parts: HeartbeatParts) {
    this.#parts = parts;
  }

  /** Call it about every second. `everyMs` null: no watcher is set. */
  async round(everyMs: number | null): Promise<void> {
    const { ping, isWell, clock, log } = this.#parts;
    const now = clock.now();
    if (everyMs === null || Math.abs(now - this.#at) < everyMs || !isWell()) return;
    this.#at = now;
    const outcome = await ping();
    if (!outcome.ok && !this.#failing)
      log.warn("The watcher of the heartbeat does not answer.", { why: outcome.reason });
    this.#failing = !outcome.ok;
  }
}
