import { setImmediate as nextTurn } from "node:timers/promises";
import { BELIEVED_AFTER_MS, type ClockNote, clockSeen } from "../../core/clock-leap.ts";
import { messageOf } from "../../core/error.ts";
import { unlessRunning } from "../../core/one-after-another.ts";
import { HOUR_MS, later, type Millis } from "../../core/time.ts";
import type { Engine } from "../../guard/engine.ts";
import type { Clock, Log, Notices } from "../../guard/ports.ts";
import type { SqliteStore } from "../../store/engine-db/store.ts";
import type { Retention } from "../../store/events/retention.ts";
import type { MaintenanceProcess } from "../../store/maintenance/process.ts";
import type { WriteAheadLog } from "../../store/maintenance/write-ahead-log.ts";

type CheckpointsParts = Readonly<{
  /** Commits the open transaction: the log is only touched between transactions. */
  commit: () => void;
  /** While this has a reason, nothing is recorded. */
  refuseWrites: (why: string | null) => void;
  log: WriteAheadLog;
  maintenance: Pick<MaintenanceProcess, "ask">;
  notices: Notices;
  journal: Log;
}>;

const MB = 1024 * 1024;

/** Limits of the write-ahead log. */
export const LOG_LIMITS = {
  /** From this size on the log is copied into the database. */
  copyBytes: 4 * MB,
  /** From this size on old events are not removed at full speed. */
  slowBytes: 64 * MB,
  /** From this size on decisions wait once, because the log could not be emptied in the background while they never paused. */
  forceBytes: 256 * MB,
  /** From this size on mail is accepted, but nothing recorded: a process that the guard cannot stop holds the log. */
  mostBytes: 1024 * MB,
} as const;

const LOOK_MS = 200;
/** Pause after a pass that did not finish, as a multiple of its duration, so that the disk is not kept busy. */
const PAUSE_TIMES = 3;

/** Lets the maintenance process copy and flush the write-ahead log, and bounds the log if that fails. */
export function createCheckpoints(
  { commit, refuseWrites, log, maintenance, notices, journal }: CheckpointsParts,
  limits: { readonly [K in keyof typeof LOG_LIMITS]: number } = LOG_LIMITS,
) {
  let timer: NodeJS.Timeout | undefined;
  let pausedUntil = 0;
  let forceAt: number = limits.forceBytes;
  const waiting: (() => void)[] = [];

  function start(): void {
    timer = setInterval(look, LOOK_MS);
  }

  function stop(): void {
    clearInterval(timer);
    ended();
  }

  function look(): void {
    const bytes = log.bytes;
    refuseWrites(bytes > limits.mostBytes ? `the write-ahead log holds ${Math.round(bytes / MB)} MB` : null);
    if (bytes < limits.copyBytes) {
      ended();
      return emptied();
    }
    if (bytes >= forceAt || performance.now() >= pausedUntil) void pass();
  }

  const pass = unlessRunning(async () => {
    const from = performance.now();
    try {
      commit();
      log.hold();
      const copied = await maintenance.ask({ type: "checkpoint" });
      commit();
      if (log.release(copied)) emptied();
      else if (log.bytes >= forceAt) force(log.bytes);
    } catch (error) {
      log.release(null);
      journal.error("A checkpoint failed; retrying.", { why: messageOf(error) });
    }
    pausedUntil = performance.now() + PAUSE_TIMES * (performance.now() - from);
    ended();
  });

  function ended(): void {
    for (const resolve of waiting.splice(0)) resolve();
  }

  /** The last resort, after a pass has left little to do. If the log stays held, it is not tried again before the log has grown. */
  function force(bytes: number): void {
    if (log.force()) return emptied();
    notices.set("database_log_held", `${Math.round(bytes / MB)} MB`);
    forceAt = bytes + limits.forceBytes / 4;
  }

  function emptied(): void {
    forceAt = limits.forceBytes;
    pausedUntil = 0;
    notices.set("database_log_held", null);
  }

  return {
    start,
    stop,
    /** Resolves once the running or next pass has ended. */
    passEnds: () => new Promise<void>((resolve) => void waiting.push(resolve)),
    /** Whether deferrable work should write less. */
    isBehind: () => log.bytes > limits.slowBytes,
  };
}

type RemovalParts = Readonly<{
  engine: Pick<Engine, "commit" | "audit">;
  store: Pick<SqliteStore, "indexWaiting">;
  retention: Retention;
  maintenance: Pick<MaintenanceProcess, "ask">;
  checkpoints: Pick<ReturnType<typeof createCheckpoints>, "isBehind" | "passEnds">;
  clock: Clock;
  notices: Notices;
  log: Log;
}>;

/** A flood that pauses for a moment is one flood, reported once. */
const PRESS_OVER_MS = HOUR_MS;
/** How long decisions may wait for a step. */
const STEP_MS = 0.5;
const ROWS = { least: 50, most: 1_000 };
const WARM_ROWS = 5_000;
/** If the write-ahead log has grown: this many steps, then an undisturbed pass of the maintenance process. */
const STEPS_A_PASS = 50;

/** The rows of a step, as many as fit into a time: a fast machine handles more than a slow one, an empty cache fewer. */
export class StepSize {
  readonly #bounds: typeof ROWS;
  rows: number;

  constructor(bounds: typeof ROWS) {
    this.#bounds = bounds;
    this.rows = bounds.least;
  }

  /** Call it after a step of `rows`. The next may take `msEach`. */
  took(tookMs: number, msEach: number): void {
    const { least, most } = this.#bounds;
    const fitting = (this.rows * msEach) / Math.max(tookMs, 0.01);
    // Half of the estimate, so that one lucky step does not make the next one long.
    this.rows = Math.round(Math.min(most, Math.max(least, (this.rows + fitting) / 2)));
  }
}

/** Removes old or excess events: a little in each turn of the event loop, between two turns of decisions. */
export function createRemoval(parts: RemovalParts) {
  const { engine, store, retention, maintenance, checkpoints, clock, notices, log } = parts;
  const size = new StepSize(ROWS);
  let warmUpTo = 0;
  let pressedAt = 0;
  let stopped = false;
  // Starts at the last event from more than a day ago: restarts while the clock is wrong do not make it trusted.
  const dayAgo = later(clock.now(), -BELIEVED_AFTER_MS);
  let note: ClockNote = { lookedAt: retention.lastEventUntil(dayAgo) + BELIEVED_AFTER_MS, leap: null };
  let aheadMs = 0;

  /** The time by which rows are old: a clock that jumped ahead by days counts only once it is trusted. */
  function agedTo(): Millis {
    const now = clock.now();
    const seen = clockSeen(note, now);
    if (seen.leap === null) aheadMs = 0;
    else if (seen.leap !== note.leap) aheadMs += seen.leap.byMs;
    note = seen;
    return later(now, -Math.max(0, aheadMs));
  }

  /** Ends once nothing is left to remove. Never rejects. */
  const round = unlessRunning(async () => {
    try {
      engine.commit();
      store.indexWaiting();
      await count();
      for (let steps = 1; ; steps++) {
        // A flood may start and end within one round.
        await reportAggregation();
        if (stopped || !step()) break;
        await warm();
        await (checkpoints.isBehind() && steps % STEPS_A_PASS === 0 ? checkpoints.passEnds() : nextTurn());
      }
    } catch (error) {
      log.error("Old events could not be removed; retrying.", { why: messageOf(error) });
    }
  });

  function step(): boolean {
    engine.commit();
    const from = performance.now();
    const more = retention.step(agedTo(), size.rows);
    size.took(performance.now() - from, STEP_MS);
    return more;
  }

  /** Without the maintenance process nothing is counted: old events wait until it is back. */
  async function count(): Promise<void> {
    if (!retention.mustCount(agedTo())) return;
    const surplus = await maintenance.ask({ type: "count", staleBefore: retention.staleBefore(agedTo()) });
    if (surplus !== null) retention.counted(surplus, agedTo());
  }

  async function warm(): Promise<void> {
    if (retention.nextId + ROWS.most < warmUpTo) return;
    const from = Math.max(warmUpTo, retention.nextId);
    warmUpTo = from + WARM_ROWS;
    await maintenance.ask({ type: "warm", from, rows: WARM_ROWS });
  }

  async function reportAggregation(): Promise<void> {
    const isReported = notices.list().some(({ code }) => code === "events_aggregated");
    const isPressed = retention.isPressed();
    if (isPressed) pressedAt = clock.now();
    else if (isReported && clock.now() - pressedAt >= PRESS_OVER_MS) notices.set("events_aggregated", null);
    if (!isPressed || isReported) return;
    notices.set("events_aggregated", "events.max_rows or events.max_size is reached");
    const subject = "The oldest events are aggregated by the hour";
    await engine.audit({ type: "EVENTS_AGGREGATED", subject, by: "engine" });
  }

  return { round, stop: () => void (stopped = true) };
}
