import { plural } from "../../core/text.ts";
import { SECOND_MS } from "../../core/time.ts";
import type { Figures } from "../../engine/figures.ts";
import type { Clock, Notices } from "../../engine/ports.ts";

const LOOK_EVERY_MS = 5 * SECOND_MS;

export type BansWatchParts = Readonly<{
  figures: Pick<Figures, "bansInForce">;
  clock: Clock;
  notices: Notices;
  /** More bans than this are reported. */
  most: () => number;
}>;

/** Reports many bans in force at once. The owner's bans do not count: they show no attack. */
export class BansWatch {
  readonly #parts: BansWatchParts;
  #lookAt = 0;

  constructor(parts: BansWatchParts) {
    this.#parts = parts;
  }

  /** Call it about every second. */
  look(nowMs: number = performance.now()): void {
    if (nowMs < this.#lookAt) return;
    this.#lookAt = nowMs + LOOK_EVERY_MS;
    const { figures, clock, notices, most } = this.#parts;
    const { engine, fail2ban } = figures.bansInForce(clock.now());
    const count = engine + fail2ban;
    if (count <= most()) notices.clear("bans_in_force");
    else notices.raise("bans_in_force", `${plural(count, "ban")} in force; more than ${most()} are reported`);
  }
}
