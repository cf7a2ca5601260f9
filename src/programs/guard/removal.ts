import { setImmediate as nextTurn } from "node:timers/promises";
import { messageOf } from "../../core/error.ts";
import { HOUR_MS } from "../../core/time.ts";
import type { Engine } from "../../guard/engine.ts";
import type { Clock, Log, Notices } from "../../guard/ports.ts";
import type { SqliteStore } from "../../store/engine-db/store.ts";
import type { Retention } from "../../store/events/retention.ts";
import type { MaintenanceProcess } from "../../store/maintenance/process.ts";
import type { WriteAheadLog } from "../../store/maintenance/write-ahead-log.ts";

type CheckpointsParts = Readonly<{
  /** Commits the open transaction: the log is only touched between transactions. */
  flush: () => void;
  /** While this has a reason, nothing is recorded. */
  refuse: (why: string | null) => void;
  log: WriteAheadLog;
  maintenance: Pick<MaintenanceProcess, "ask">;
  notices: Notices;
  journal: Log;
}>;

const MB = 1024 * 1024;

/** Limits of the write-ahead log. */
export const LOG_LIMITS = {
  /** From this size on it is copied into the database. */
  copyBytes: 4 * MB,
  /** From this size on nothing is removed at full speed. */
  slowBytes: 64 * MB,
  /** It could not be emptied in the background, because decisions never paused: then the decisions wait once. */
  forceBytes: 256 * MB,
  /** A process that the guard cannot stop holds it: mail is accepted, but nothing more is recorded. */
  mostBytes: 1024 * MB,
} as const;
type LogLimits = { readonly [K in keyof typeof LOG_LIMITS]: number };

const LOOK_MS = 200;
/** After a pass that did not finish: how many times its duration until the next, so that the disk is not kept busy. */
const PAUSE_TIMES = 3;

/** Lets the maintenance process copy and flush the write-ahead log, and bounds the log if that fails. */
export class Checkpoints {
  readonly #parts: CheckpointsParts;
  readonly #limits: LogLimits;
  #timer: NodeJS.Timeout | null = null;
  #running = false;
  #pausedUntil = 0;
  #forceAt: number;
  #waiting: (() => void)[] = [];

  constructor(parts: CheckpointsParts, limits: LogLimits = LOG_LIMITS) {
    this.#parts = parts;
    this.#limits = limits;
    this.#forceAt = limits.forceBytes;
  }

  start(): void {
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#ended();
  }

  /** Resolves once the running or next pass has ended. */
  passEnds(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Whether deferrable work should write less. */
  get isBehind(): boolean {
    return this.#parts.log.bytes > this.#limits.slowBytes;
  }

  #look(): void {
    const bytes = this.#parts.log.bytes;
    this.#parts.refuse(
      bytes > this.#limits.mostBytes ? `the write-ahead log holds ${Math.round(bytes / MB)} MB` : null,
    );
    if (bytes < this.#limits.copyBytes) {
      this.#ended();
      return this.#emptied();
    }
    if (!this.#running && (bytes >= this.#forceAt || performance.now() >= this.#pausedUntil)) void this.#pass();
  }

  async #pass(): Promise<void> {
    const { flush, log, maintenance, journal } = this.#parts;
    this.#running = true;
    const from = performance.now();
    try {
      flush();
      log.hold();
      const copied = await maintenance.ask({ type: "checkpoint" });
      flush();
      if (log.release(copied)) this.#emptied();
      else if (log.bytes >= this.#forceAt) this.#force(log.bytes);
    } catch (error) {
      log.release(null);
      journal.error("A checkpoint failed; it is tried again.", { why: messageOf(error) });
    }
    this.#pausedUntil = performance.now() + PAUSE_TIMES * (performance.now() - from);
    this.#running = false;
    this.#ended();
  }

  #ended(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  /** The last resort, after a pass has left little to do. If the log stays held, it is not tried at each check. */
  #force(bytes: number): void {
    const { log, notices } = this.#parts;
    if (log.force()) return this.#emptied();
    notices.raise("database_log_held", `${Math.round(bytes / MB)} MB`);
    this.#forceAt = bytes + this.#limits.forceBytes / 4;
  }

  #emptied(): void {
    this.#forceAt = this.#limits.forceBytes;
    this.#pausedUntil = 0;
    this.#parts.notices.clear("database_log_held");
  }
}

type RemovalParts = Readonly<{
  engine: Pick<Engine, "flush" | "audit">;
  store: Pick<SqliteStore, "indexWaiting">;
  retention: Retention;
  maintenance: Pick<MaintenanceProcess, "ask">;
  checkpoints: Pick<Checkpoints, "isBehind" | "passEnds">;
  clock: Clock;
  notices: Notices;
  log: Log;
}>;

/** A flood that pauses for a moment is one flood, reported once. */
const PRESS_OVER_MS = HOUR_MS;
/** How long decisions may wait for a step. */
const STEP_MS = 0.5;
const ROWS = { least: 50, most: 1_000 };
/** How many rows the maintenance process reads ahead. */
const WARM_ROWS = 5_000;
/** If the write-ahead log has grown: this many steps, then an undisturbed pass of the maintenance process. */
const STEPS_A_PASS = 50;

/** As many rows as fit into a time: a fast machine handles more of them than a slow one, an empty cache fewer. */
export class StepSize {
  readonly #least: number;
  readonly #most: number;
  rows: number;

  constructor({ least, most }: Readonly<{ least: number; most: number }>) {
    this.#least = least;
    this.#most = most;
    this.rows = least;
  }

  /** After a step of `rows`. The next may take `msEach`. */
  took(tookMs: number, msEach: number): void {
    const fitting = (this.rows * msEach) / Math.max(tookMs, 0.01);
    // Half of the estimate, so that one lucky step does not make the next one long.
    this.rows = Math.round(Math.min(this.#most, Math.max(this.#least, (this.rows + fitting) / 2)));
  }
}

/** Removes old or excess events: a little in each turn of the event loop, between two turns of decisions. */
export class Removal {
  readonly #parts: RemovalParts;
  readonly #size = new StepSize(ROWS);
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
      this.#parts.store.indexWaiting();
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
      this.#parts.log.error("Old events could not be removed; it is tried again.", { why: messageOf(error) });
    }
    this.#working = false;
  }

  #step(): boolean {
    const { engine, retention, clock } = this.#parts;
    engine.flush();
    const from = performance.now();
    const more = retention.step(clock.now(), this.#size.rows);
    this.#size.took(performance.now() - from, STEP_MS);
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
