import { setImmediate as nextTurn } from "node:timers/promises";
import type { Retention } from "../../adapters/sqlite/engine-db/retention.ts";
import type { SqliteStore } from "../../adapters/sqlite/engine-db/store.ts";
import type { MaintenanceProcess } from "../../adapters/sqlite/maintenance/process.ts";
import { messageOf } from "../../core/error.ts";
import { HOUR_MS } from "../../core/time.ts";
import type { Engine } from "../../engine/engine.ts";
import type { Clock, Log, Notices } from "../../engine/ports.ts";
import type { Checkpoints } from "./checkpoints.ts";

export type RemovalParts = Readonly<{
  engine: Pick<Engine, "flush" | "audit">;
  store: Pick<SqliteStore, "settle">;
  retention: Retention;
  maintenance: Pick<MaintenanceProcess, "ask">;
  checkpoints: Pick<Checkpoints, "isBehind" | "passEnds">;
  clock: Clock;
  notices: Notices;
  log: Log;
}>;

/** A flood that pauses for a moment is one flood, reported once. */
const PRESS_OVER_MS = HOUR_MS;
/** How long decisions may wait for a step; the number of rows adapts to this. */
const STEP_MS = 0.5;
const ROWS = { least: 50, first: 50, most: 1_000 };
/** How many rows the maintenance process reads ahead. */
const WARM_ROWS = 5_000;
/** If the write-ahead log has grown: this many steps, then an undisturbed pass of the maintenance process. */
const STEPS_A_PASS = 50;

/** Removes old or excess events: a little in each turn of the event loop, between two turns of decisions. */
export class Removal {
  readonly #parts: RemovalParts;
  #rows = ROWS.first;
  #warmUpTo = 0;
  #pressedAt = 0;
  #working = false;
  #stopped = false;

  constructor(parts: RemovalParts) {
    this.#parts = parts;
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Ends once nothing is left to remove. Never rejects. */
  async round(): Promise<void> {
    if (this.#working) return;
    this.#working = true;
    try {
      this.#parts.engine.flush();
      this.#parts.store.settle();
      await this.#count();
      const { checkpoints } = this.#parts;
      for (let steps = 1; ; steps++) {
        // A flood may start and end within one round.
        await this.#tellOfPress();
        if (this.#stopped || !this.#step()) break;
        await this.#warm();
        await (checkpoints.isBehind && steps % STEPS_A_PASS === 0 ? checkpoints.passEnds() : nextTurn());
      }
    } catch (error) {
      this.#parts.log.error("Old events could not be removed; it is tried again.", {
        why: messageOf(error),
      });
    }
    this.#working = false;
  }

  /** Steps are as large as time allows: a fast machine handles more rows than a slow one, an empty cache fewer. */
  #step(): boolean {
    const { engine, retention, clock } = this.#parts;
    engine.flush();
    const from = performance.now();
    const more = retention.step(clock.now(), this.#rows);
    const tookMs = performance.now() - from;
    const fitting = (this.#rows * STEP_MS) / Math.max(tookMs, 0.01);
    // Half of the estimate, so that one lucky step does not make the next one long.
    this.#rows = Math.round(Math.min(ROWS.most, Math.max(ROWS.least, (this.#rows + fitting) / 2)));
    return more;
  }

  /** Without the maintenance process nothing is counted: old events wait until it is back. */
  async #count(): Promise<void> {
    const { retention, maintenance, clock } = this.#parts;
    if (!retention.mustCount(clock.now())) return;
    const staleBefore = retention.staleBefore(clock.now());
    const surplus = await maintenance.ask({ type: "count", staleBefore });
    if (surplus !== null) retention.counted(surplus, clock.now());
  }

  async #warm(): Promise<void> {
    const { retention, maintenance } = this.#parts;
    if (retention.nextId + ROWS.most < this.#warmUpTo) return;
    const from = Math.max(this.#warmUpTo, retention.nextId);
    this.#warmUpTo = from + WARM_ROWS;
    await maintenance.ask({ type: "warm", from, rows: WARM_ROWS });
  }

  async #tellOfPress(): Promise<void> {
    const { engine, retention, clock, notices } = this.#parts;
    const isReported = notices.list().some(({ code }) => code === "events_aggregated");
    const isPressed = retention.isPressed();
    if (isPressed) this.#pressedAt = clock.now();
    else if (isReported && clock.now() - this.#pressedAt >= PRESS_OVER_MS) notices.clear("events_aggregated");
    if (!isPressed || isReported) return;
    notices.raise("events_aggregated", "events.max_rows or events.max_size is reached");
    await engine.audit({
      type: "EVENTS_AGGREGATED",
      subject: "The oldest events are summed up by the hour",
      by: "engine",
    });
  }
}
