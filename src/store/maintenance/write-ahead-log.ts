import { fdatasync, statSync } from "node:fs";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { messageOf, readOr } from "../../core/error.ts";
import { openPlain } from "../../host/root-files/files.ts";
import { integer } from "../columns.ts";

/** The result of one pass of the maintenance process: the frames in the log, and how many of them are in the database file. */
export type Copied = Readonly<{ frames: number; copied: number }>;

/**
 * The guard's half of a checkpoint of `engine.db` (docs/adr/0014). The maintenance process copies frames of the log
 * into the database and flushes both. The guard only empties the log, which it may do without a flush:
 * - Everything in the log has been flushed to the database file, because `hold` notes where the log ends, `release` empties
 *   it only if nothing was committed since, and the guard is the only writer.
 * - SQLite itself does not restart the log in between, because a held reader prevents that.
 * - A commit that starts an *empty* log needs no flush of its header: after a power failure the file holds either the whole
 *   old log, which repeats the database, or the start of the new one. Over an old log, the header would need a flush.
 *
 * Call it between transactions of `db`. `db` must be the connection that writes.
 */
export class WriteAheadLog {
  readonly #db: DatabaseSync;
  readonly #path: string;
  readonly #reader: DatabaseSync;
  readonly #version: StatementSync;
  readonly #empty: StatementSync;
  #heldVersion: number | null = null;

  constructor(db: DatabaseSync, path: string) {
    this.#db = db;
    db.exec("PRAGMA wal_autocheckpoint = 0");
    this.#path = `${path}-wal`;
    // It waits for no lock, so that it does not disturb a reader that is in the way.
    this.#reader = new DatabaseSync(path, { timeout: 0 });
    this.#reader.exec("PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -64");
    this.#version = this.#reader.prepare("PRAGMA data_version");
    this.#empty = this.#reader.prepare("PRAGMA wal_checkpoint(TRUNCATE)");
  }

  /** Size of the log file, which shrinks only when it is emptied. */
  get bytes(): number {
    return statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0;
  }

  /** Call it before a pass of the maintenance process. */
  hold(): void {
    this.#db.exec("PRAGMA synchronous = NORMAL");
    if (this.#reader.isTransaction) this.#reader.exec("ROLLBACK");
    this.#reader.exec("BEGIN");
    this.#heldVersion = this.#dataVersion();
  }

  /** Call it after the pass, with null if the pass failed. Returns whether the log is empty now. */
  release(copied: Copied | null): boolean {
    if (this.#reader.isTransaction) this.#reader.exec("COMMIT");
    const held = this.#heldVersion;
    this.#heldVersion = null;
    if (copied === null || copied.copied !== copied.frames || held !== this.#dataVersion()) return false;
    return this.force();
  }

  /** Copies, flushes and empties at once, while decisions wait. False if a reader or the disk is in the way. */
  force(): boolean {
    if (!readOr(() => integer(this.#empty.get()?.["busy"]) === 0, false)) return false;
    this.#db.exec("PRAGMA synchronous = OFF");
    return true;
  }

  #dataVersion(): number {
    return integer(this.#version.get()?.["data_version"]);
  }
}

export type WalFlushParts = Readonly<{
  /** Databases in WAL mode that this process has open, so that their logs exist. */
  databases: readonly string[];
  /** Called after each flush with the disk's error, or null if it succeeded; and with an error while a flush is late. */
  ended: (why: string | null) => void;
  /** Commits the open transaction: a log can only be emptied between transactions. */
  between: () => void;
  /** fdatasync(2) of an open file. Returns the error, or null. */
  sync?: (fd: number) => Promise<string | null>;
  /** Time from a commit to its flush. Events may wait longer than bans, and commands do not wait. */
  waitMs?: Readonly<{ bans: number; events: number }>;
}>;

/** Maximum loss in a power failure. A shorter time would keep the disk busy in a flood. */
const WAIT_MS = { bans: 100, events: 1_000 } as const;
/** Much longer than a busy disk takes, which is seconds. */
const LATE_MS = 30_000;

/**
 * Brings committed transactions to the disk. `synchronous = NORMAL` leaves them in the write-ahead log until the next
 * checkpoint, and a power failure would lose them. fdatasync(2) runs on a separate thread, so no decision waits for it.
 *
 * A disk reports a failed write only once. Then the kernel counts the pages as written, and the next fdatasync succeeds without
 * them (fsync(2), ERRORS). So a log with a failed flush is not trusted until all of it is in the database file.
 */
export class WalFlush {
  readonly #parts: WalFlushParts;
  readonly #logs = new Map<string, number>();
  /** Databases whose logs failed to flush, and why. */
  readonly #refused = new Map<string, string>();
  #running: Promise<boolean> | null = null;
  /** Covers commits made while another flush runs. */
  #next: Promise<boolean> | null = null;
  #timer: NodeJS.Timeout | null = null;
  #timedFor: "bans" | "events" | null = null;
  #isStopping = false;

  constructor(parts: WalFlushParts) {
    this.#parts = parts;
  }

  /** Call it after each commit. */
  onCommit({ bansChanged }: Readonly<{ bansChanged: boolean }>): void {
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
    const late = setTimeout(this.#parts.ended, LATE_MS, "the disk has not confirmed a flush for 30 s");
    return Promise.all(this.#parts.databases.map((path) => this.#flushLog(path))).then((errors) => {
      const why = errors.find((error) => error !== null) ?? null;
      clearTimeout(late);
      this.#parts.ended(why);
      // Otherwise nothing would try again before the next commit.
      if (why !== null && !this.#isStopping) this.onCommit({ bansChanged: false });
      return why === null;
    });
  }

  /** Null, or the error. A log keeps its file while the database is open; if the log is replaced, the guard ends. */
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
      // The file must also be empty on the disk. Otherwise the rest of the old log could be read over the newer database.
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
 * Copies a log from the kernel's memory into its database, flushes that and empties the log. Decisions wait for it.
 * False if a reader, a writer or the disk is in the way.
 */
function hasEmptied(path: string): boolean {
  using db = new DatabaseSync(path, { timeout: 0 });
  return readOr(() => {
    db.exec("PRAGMA synchronous = NORMAL");
    return integer(db.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get()?.["busy"]) === 0;
  }, false);
}
