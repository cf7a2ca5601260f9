import { existsSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { compactTime, instant, type Millis } from "../../core/time.ts";

/** The complete copy beside `accounts.db`, at most seconds old. */
export function copyPath(accountsDb: string): string {
  return `${accountsDb}.copy`;
}

/** The digest beside `engine.db`: its lasting part without events, at most minutes old. */
export function digestPath(engineDb: string): string {
  return `${engineDb}.digest`;
}

/** What happened to an unusable file. `missing`: it was gone, which an empty file with the new name records. */
export type Fate = "damaged" | "replaced" | "missing";

const NAMES = /\.db\.(?:damaged|replaced|missing)-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/;

/**
 * Renames a database and the files beside it, so that a new one can take its place and nothing is lost. The new name
 * includes the time: `engine.db.damaged-20261121T031500Z`. Close its connections first, because SQLite removes `-wal` by name.
 */
export function setAside(path: string, fate: Fate, now: Millis): string {
  const aside = `${path}.${fate}-${compactTime(now)}`;
  if (existsSync(path)) renameSync(path, aside);
  else writeFileSync(aside, "", { mode: 0o640 });
  if (existsSync(`${path}-wal`)) renameSync(`${path}-wal`, `${aside}-wal`);
  rmSync(`${path}-shm`, { force: true });
  return aside;
}

/** The databases that were set aside and still exist, by name. */
export function setAsideBeside(path: string): readonly string[] {
  const directory = dirname(path);
  const ours = readdirSync(directory).filter((name) => name.startsWith(`${basename(path)}.`) && NAMES.test(name));
  return ours.toSorted().map((name) => join(directory, name));
}

/** When a file was set aside, from its name; 0 for any other name. */
export function timeOfName(aside: string): Millis {
  const [, year, month, day, hour, minute, second] = NAMES.exec(aside) ?? [];
  return instant(Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`) || 0);
}

const ENDS = ["", "-wal", "-shm"] as const;

/** Removes a database and the files beside it, because a stale `-wal` would be read into the next file of that name. */
export function removeDatabase(path: string): void {
  for (const end of ENDS) rmSync(`${path}${end}`, { force: true });
}

export type Loss = "gone" | "replaced" | "truncated";

/**
 * The files of an open database, by inode. SQLite keeps writing into a removed or replaced file, and that data is lost when
 * the process ends.
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

  /** Null if nothing was lost. None of our programs makes a database smaller. */
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
