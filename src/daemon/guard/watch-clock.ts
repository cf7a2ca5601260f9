import type { Jump } from "../../adapters/machine/steady-clock.ts";
import { formatDuration, isoTime, SECOND_MS } from "../../core/time.ts";
import type { Engine } from "../../engine/engine.ts";
import type { Log, Notices } from "../../engine/ports.ts";

export type ClockWatchParts = Readonly<{
  clock: Readonly<{ jump: () => Jump | null; accepted: number }>;
  engine: Pick<Engine, "audit">;
  notices: Notices;
  log: Log;
  /** Ends the guard, which is restarted at once. */
  restart: () => void;
}>;

/** Reports that the machine's clock was set, and what happened next. */
export class ClockWatch {
  readonly #parts: ClockWatchParts;
  #reported: Jump | null = null;
  #accepted = 0;

  constructor(parts: ClockWatchParts) {
    this.#parts = parts;
  }

  /** Call it about every second. */
  look(): void {
    const { clock, notices } = this.#parts;
    const jump = clock.jump();
    const reported = this.#reported;
    if (jump?.since === reported?.since && jump?.byMs === reported?.byMs) return;
    this.#reported = jump;
    if (jump !== null) {
      notices.raise("clock_jumped", detailOf(jump));
      return this.#record(directionOf(jump));
    }
    notices.clear("clock_jumped");
    if (reported !== null) this.#isOver(reported);
  }

  #isOver(reported: Jump): void {
    const { clock, log, restart } = this.#parts;
    if (clock.accepted === this.#accepted) return this.#record(`${directionOf(reported)}, and it came back`);
    this.#accepted = clock.accepted;
    this.#record(`${directionOf(reported)}, and it is trusted now`);
    if (reported.byMs > 0) return;
    // Nothing in memory may lie in the future, where it would wait for the old time.
    log.warn("The machine's clock was set back: the guard starts again.", { byMs: reported.byMs });
    restart();
  }

  #record(what: string): void {
    void this.#parts.engine.audit({
      type: "CLOCK_JUMPED",
      subject: `The machine's clock was set ${what}`,
      by: "engine",
    });
  }
}

function detailOf(jump: Jump): string {
  const { since, acceptedAt } = jump;
  return `It was set ${directionOf(jump)} at ${isoTime(since)}; the guard keeps using the old time until ${isoTime(acceptedAt)}. Try: timedatectl set-ntp true`;
}

/** Whole seconds: a synchronized clock is corrected by fractions of them. */
function directionOf({ byMs }: Jump): string {
  const seconds = Math.round(Math.abs(byMs) / SECOND_MS) * SECOND_MS;
  return `${byMs > 0 ? "ahead" : "back"} by ${formatDuration(seconds)}`;
}
