import { statSync } from "node:fs";
import { backup, type DatabaseSync } from "node:sqlite";

const ENDS = ["", "-wal", "-shm"] as const;

export type Loss = "gone" | "replaced" | "truncated";

/**
 * The files of an open database, by inode. SQLite keeps writing into a removed or replaced file; whatever is written
 * there is lost when the process ends.
 */
export class OpenFiles {
  readonly #path: string;
  readonly #inodes: readonly (bigint | null)[];
  #bytes = 0n;

  /** Call it once the database is open in WAL mode. */
  constructor(path: string) {
    this.#path = path;
    this.#inodes = ENDS.map((end) => this.#stat(end)?.ino ?? null);
  }

  /** Null while all is well. None of our programs makes a database smaller. */
  look(): Loss | null {
    const stats = ENDS.map((end) => this.#stat(end));
    const [main] = stats;
    if (stats.some((one, at) => one === null && this.#inodes[at] !== null)) return "gone";
    if (stats.some((one, at) => one?.ino !== this.#inodes[at])) return "replaced";
    if (main === undefined || main === null || main.size < this.#bytes) return "truncated";
    this.#bytes = main.size;
    return null;
  }

  #stat(end: string): Readonly<{ ino: bigint; size: bigint }> | null {
    return statSync(`${this.#path}${end}`, { bigint: true, throwIfNoEntry: false }) ?? null;
  }
}

/** A complete copy, committed and flushed. The name must be free. Decisions continue. */
export async function copyDatabase(db: DatabaseSync, to: string): Promise<void> {
  await backup(db, to);
}
