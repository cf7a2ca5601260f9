import { fdatasync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { messageOf } from "../../../core/error.ts";
import { openPlain } from "../../root-files/files.ts";
import { integer } from "../columns.ts";

export type LogFlushParts = Readonly<{
  /** Databases in WAL mode that this process has open, so that their logs exist. */
  databases: readonly string[];
  /** Called after each flush with the disk's error; null if it succeeded. */
  ended: (why: string | null) => void;
  /** Commits the open transaction: a log can only be emptied between transactions. */
  between: () => void;
  /** fdatasync(2) of an open file. Null, or why not. */
  sync?: (fd: number) => Promise<string | null>;
  /** Time from a commit to its flush. Events may wait longer than bans, and commands do not wait. */
  waitMs?: Readonly<{ bans: number; events: number }>;
}>;

/** Maximum loss in a power failure. A shorter time would keep the disk busy in a flood. */
const WAIT_MS = { bans: 100, events: 1_000 } as const;

/**
 * Brings committed transactions to the disk. `synchronous = NORMAL` leaves them in the write-ahead log until the next
 * checkpoint, and a power failure would lose them. fdatasync(2) runs on a separate thread, so no decision waits for it.
 *
 * A disk reports a failed write once: the kernel then counts the pages as written, and the next fdatasync succeeds without
 * them (fsync(2), ERRORS). So a log with a failed flush is not trusted until all of it is in the database file.
 */
export class LogFlush {
  readonly #parts: LogFlushParts;
  readonly #logs = new Map<string, number>();
  /** Databases whose logs failed to flush, and why. */
  readonly #refused = new Map<string, string>();
  #running: Promise<boolean> | null = null;
  /** Covers commits made while another flush runs. */
  #next: Promise<boolean> | null = null;
  #timer: NodeJS.Timeout | null = null;
  #timedFor: "bans" | "events" | null = null;
  #isStopping = false;

  constructor(parts: LogFlushParts) {
    this.#parts = parts;
  }

  /** Call it after each commit. */
  committed({ bansChanged }: Readonly<{ bansChanged: boolean }>): void {
    if (this.#timedFor === "bans" || (this.#timedFor === "events" && !bansChanged)) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timedFor = bansChanged ? "bans" : "events";
    this.#timer = setTimeout(
      () => {
        this.#timedFor = null;
        void this.flushed();
      },
      (this.#parts.waitMs ?? WAIT_MS)[this.#timedFor],
    );
  }

  /** Resolves once everything committed so far survives a power failure; false if the disk refused it. */
  flushed(): Promise<boolean> {
    this.#next ??= (this.#running ?? Promise.resolve()).then(() => this.#flush());
    return this.#next;
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.flushed();
  }

  #flush(): Promise<boolean> {
    this.#running = this.#next;
    this.#next = null;
    return Promise.all(this.#parts.databases.map((path) => this.#flushLog(path))).then((errors) => {
      const why = errors.find((error) => error !== null) ?? null;
      this.#parts.ended(why);
      // Without another commit nothing else would try again.
      if (why !== null && !this.#isStopping) this.committed({ bansChanged: false });
      return why === null;
    });
  }

  /** Null, or the error. A log keeps its file while the database is open; a replaced one ends the guard. */
  async #flushLog(path: string): Promise<string | null> {
    const { sync = flushFile, between } = this.#parts;
    try {
      const log = this.#logs.get(path) ?? openPlain(`${path}-wal`);
      this.#logs.set(path, log);
      const why = this.#refused.get(path) ?? (await sync(log));
      if (why === null) return null;
      this.#refused.set(path, why);
      between();
      if (!hasEmptied(path)) return why;
      // The file must also be empty on the disk: the rest of the old log would be read over the newer database.
      const left = await sync(log);
      if (left === null) this.#refused.delete(path);
      return left;
    } catch (error) {
      return messageOf(error);
    }
  }
}

function flushFile(fd: number): Promise<string | null> {
  return new Promise((resolve) => fdatasync(fd, (error) => resolve(error === null ? null : messageOf(error))));
}

/**
 * Copies a log from the kernel's memory into its database, flushes that and empties the log. Decisions wait this once.
 * False if a reader, a writer or the disk is in the way.
 */
function hasEmptied(path: string): boolean {
  const db = new DatabaseSync(path, { timeout: 0 });
  try {
    db.exec("PRAGMA synchronous = NORMAL");
    return integer(db.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get()?.["busy"]) === 0;
  } catch {
    return false;
  } finally {
    db.close();
  }
}
