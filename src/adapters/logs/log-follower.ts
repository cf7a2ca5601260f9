import { closeSync, fstatSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { LogPosition } from "../../core/events/event.ts";
import { isRotated } from "../../wire/logs/rotated-log.ts";

/** Takes lines together with the position behind them; false: not now, give them again. */
export type TakeLines = (lines: readonly string[], position: LogPosition) => Promise<boolean>;

export type LogFollowerParts = Readonly<{
  file: string;
  /** Where the last run ended; null begins at the end of what is there now. */
  from: LogPosition | null;
  take: TakeLines;
  /** Told once for as long as the log cannot be read. */
  failed: (why: string) => void;
  everyMs?: number;
  /**
   * How long a rotated file must have been silent, and its successor begun, before it is left: several programs that
   * write one log do not change over at the same moment. 0 where a single one does.
   */
  lingerMs?: number;
}>;

/** The keeper has all writers of a log that several share change over within a second or two. */
export const WRITERS_CHANGE_OVER_MS = 3_000;

const EVERY_MS = 500;
const CHUNK_BYTES = 256 * 1024;

/**
 * Reads a log as it grows. It goes on where it ended, after a restart too; a file that was rotated away meanwhile is
 * read to its end first, one that was cut short is read from its beginning. Only whole lines are given; a line longer
 * than a chunk is given in pieces.
 */
export class LogFollower {
  readonly #parts: LogFollowerParts;
  readonly #chunk = Buffer.alloc(CHUNK_BYTES);
  #position: LogPosition | null;
  #fd: number | null = null;
  #timer: NodeJS.Timeout | null = null;
  #reading: Promise<void> | null = null;
  #failing = false;
  #wasMissing = false;
  #lastReadAt = performance.now();

  constructor(parts: LogFollowerParts) {
    this.#parts = parts;
    this.#position = parts.from;
  }

  start(): void {
    this.#timer = setInterval(() => void this.poll(), this.#parts.everyMs ?? EVERY_MS);
    void this.poll();
  }

  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.#reading;
    this.#close();
  }

  /** Reads what is there. Never rejects. */
  poll(): Promise<void> {
    this.#reading ??= this.#readAll().finally(() => {
      this.#reading = null;
    });
    return this.#reading;
  }

  async #readAll(): Promise<void> {
    try {
      this.#fd ??= this.#open();
      while (await this.#readOn());
      this.#failing = false;
    } catch (error) {
      this.#close();
      if (isMissing(error)) this.#wasMissing = true;
      if (isMissing(error) || this.#failing) return;
      this.#failing = true;
      this.#parts.failed(error instanceof Error ? error.message : String(error));
    }
  }

  /** The file to go on with: the one in which the last run ended if it still exists under any name. */
  #open(): number {
    const { file } = this.#parts;
    if (this.#position === null) {
      const fd = openSync(file, "r");
      const stat = fstatSync(fd, { bigint: true });
      this.#position = { inode: identity(stat), offset: this.#wasMissing ? 0 : Number(stat.size) };
      return fd;
    }
    const { inode } = this.#position;
    const found = identityOf(file) === inode ? file : rotatedFiles(file).find((name) => identityOf(name) === inode);
    const fd = openSync(found ?? file, "r");
    if (found === undefined) this.#position = { inode: identityOfOpen(fd), offset: 0 };
    return fd;
  }

  /** One step; false once nothing is left to read now. */
  async #readOn(): Promise<boolean> {
    if (this.#fd === null || this.#position === null) return false;
    const { size } = fstatSync(this.#fd);
    if (size < this.#position.offset) this.#position = { ...this.#position, offset: 0 };
    const bytes = readSync(this.#fd, this.#chunk, 0, CHUNK_BYTES, this.#position.offset);
    const end = this.#chunk.subarray(0, bytes).lastIndexOf("\n") + 1;
    const whole = end === 0 && bytes === CHUNK_BYTES ? bytes : end;
    if (whole > 0) return this.#give(this.#chunk.toString("utf8", 0, whole), whole);
    return this.#next();
  }

  async #give(text: string, bytes: number): Promise<boolean> {
    if (this.#position === null) return false;
    const position = { inode: this.#position.inode, offset: this.#position.offset + bytes };
    const lines = text.split("\n").filter((line) => line !== "");
    this.#lastReadAt = performance.now();
    if (!(await this.#parts.take(lines, position))) return false;
    this.#position = position;
    return true;
  }

  /** Moves on from a file that was rotated away and is read to its end. */
  #next(): boolean {
    const { file, lingerMs = 0 } = this.#parts;
    if (this.#position === null || this.#fd === null) return false;
    const { inode } = this.#position;
    const current = identityOf(file);
    if (current === null || current === inode) return false;
    const rotated = rotatedFiles(file);
    const mine = rotated.findIndex((name) => identityOf(name) === inode);
    const next = mine < 0 ? file : (rotated[mine + 1] ?? file);
    if (lingerMs > 0 && (this.#silentMs(this.#fd) < lingerMs || isEmpty(next))) return false;
    this.#close();
    this.#fd = openSync(next, "r");
    this.#position = { inode: identityOfOpen(this.#fd), offset: 0 };
    return true;
  }

  /** By the file's own time, or by ours where a clock was set back. */
  #silentMs(fd: number): number {
    return Math.max(Date.now() - fstatSync(fd).mtimeMs, performance.now() - this.#lastReadAt);
  }

  #close(): void {
    if (this.#fd !== null) closeSync(this.#fd);
    this.#fd = null;
  }
}

/** The end of a file as it is now; null where there is none. */
export function endOf(file: string): LogPosition | null {
  const stat = statSync(file, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? null : { inode: identity(stat), offset: Number(stat.size) };
}

/** Its elder siblings that can be read as they are, the eldest first: svlogd(8) and the keeper leave them beside it. */
function rotatedFiles(file: string): readonly string[] {
  const directory = dirname(file);
  return readdirSync(directory)
    .filter((name) => isRotated(name, basename(file)) && !name.endsWith(".gz"))
    .map((name) => ({ path: join(directory, name), changed: changedAt(join(directory, name)) }))
    .toSorted((a, b) => a.changed - b.changed || (a.path < b.path ? -1 : 1))
    .map(({ path }) => path);
}

function changedAt(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** The number of a file that is gone is given to the next one: the time of its making tells the two apart. */
function identity({ ino, birthtimeMs }: Readonly<{ ino: bigint; birthtimeMs: bigint }>): string {
  return `${ino}-${birthtimeMs}`;
}

function identityOf(path: string): string | null {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  return found === undefined ? null : identity(found);
}

function identityOfOpen(fd: number): string {
  return identity(fstatSync(fd, { bigint: true }));
}

function isEmpty(path: string): boolean {
  return (statSync(path, { throwIfNoEntry: false })?.size ?? 0) === 0;
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
