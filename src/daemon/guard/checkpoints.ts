import type { MaintenanceProcess } from "../../adapters/sqlite/maintenance/process.ts";
import type { WriteAheadLog } from "../../adapters/sqlite/maintenance/write-ahead-log.ts";
import { messageOf } from "../../core/error.ts";
import type { Log, Notices } from "../../engine/ports.ts";

export type CheckpointsParts = Readonly<{
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
export type LogLimits = { readonly [K in keyof typeof LOG_LIMITS]: number };

const LOOK_MS = 200;
/** After a pass that did not finish: how many times its duration until the next, so that the disk is not kept busy. */
const REST = 3;

/** Lets the maintenance process copy and flush the write-ahead log, and bounds the log if that fails. */
export class Checkpoints {
  readonly #parts: CheckpointsParts;
  readonly #limits: LogLimits;
  #timer: NodeJS.Timeout | null = null;
  #running = false;
  #restUntil = 0;
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
    if (!this.#running && (bytes >= this.#forceAt || performance.now() >= this.#restUntil)) void this.#pass();
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
      journal.error("A checkpoint failed; it is tried again.", {
        why: messageOf(error),
      });
    }
    this.#restUntil = performance.now() + REST * (performance.now() - from);
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
    this.#restUntil = 0;
    this.#parts.notices.clear("database_log_held");
  }
}
