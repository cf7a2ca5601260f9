import { statSync } from "node:fs";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { integer } from "../columns.ts";

/** The result of one pass of the maintenance process: frames in the log, and how many of them are in the database file. */
export type Copied = Readonly<{ frames: number; copied: number }>;

/**
 * The guard's half of a checkpoint of `engine.db` (docs/adr/0014). The maintenance process copies frames of the log
 * into the database and flushes both; the guard only empties the log, which it may do without a flush, because
 * - nothing is left in the log that the database file has not flushed: `hold` notes where the log ended, `release`
 *   empties it only if nothing was committed since, and the guard is the only writer;
 * - SQLite itself never restarts the log in between: a held reader prevents that;
 * - a commit that starts an *empty* log needs no flush of its header: after a power failure the file holds the old log
 *   as a whole, which repeats the database, or the beginning of the new one. Over an old log it would need one.
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
    // It waits for no lock: a reader in the way is not disturbed.
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

  /** Call it after the pass; null if it failed. Returns whether the log is empty now. */
  release(copied: Copied | null): boolean {
    if (this.#reader.isTransaction) this.#reader.exec("COMMIT");
    const held = this.#heldVersion;
    this.#heldVersion = null;
    if (copied === null || copied.copied !== copied.frames || held !== this.#dataVersion()) return false;
    return this.#emptied();
  }

  /** Copies, flushes and empties at once, while decisions wait. False if a reader or the disk is in the way. */
  force(): boolean {
    return this.#emptied();
  }

  #emptied(): boolean {
    try {
      if (integer(this.#empty.get()?.["busy"]) !== 0) return false;
    } catch {
      return false;
    }
    this.#db.exec("PRAGMA synchronous = OFF");
    return true;
  }

  #dataVersion(): number {
    return integer(this.#version.get()?.["data_version"]);
  }
}
