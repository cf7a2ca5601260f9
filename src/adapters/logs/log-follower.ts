import { closeSync, fstatSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { codeOf, messageOf } from "../../core/error.ts";
import type { LogPosition } from "../../core/events/log-position.ts";
import { isRotated } from "../../wire/logs/rotated-log.ts";

/** Takes lines together with the position after them. False: not now, offer them again. */
export type TakeLines = (lines: readonly string[], position: LogPosition) => Promise<boolean>;

export type LogFollowerParts = Readonly<{
  file: string;
  /** Where the last run ended; null starts at the current end. */
  from: LogPosition | null;
  take: TakeLines;
  /** Called once while the log cannot be read. */
  failed: (why: string) => void;
  everyMs?: number;
  /**
   * How long a rotated file must be silent, and its successor have lines, before the file is left. Programs that share
   * a log do not switch at the same moment. 0 for a log with a single writer.
   */
  lingerMs?: number;
}>;

/** The keeper makes all writers of a shared log switch within a second or two. */
export const WRITERS_CHANGE_OVER_MS = 3_000;

const EVERY_MS = 500;
const CHUNK_BYTES = 256 * 1024;

/**
 * Reads a log as it grows, and resumes after a restart. A file that was rotated meanwhile is read to its end first; a
 * truncated one is read from its beginning. Only whole lines are passed on; a line longer than a chunk comes in pieces.
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

  /** Reads what is available. Never rejects. */
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
      this.#parts.failed(messageOf(error));
    }
  }

  /** The file to resume with: the one of the last run, if it still exists under any name. */
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

  /** One step; false if there is nothing more to read now. */
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

  /** Leaves a rotated file that has been read to its end. */
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

  /** Uses the file's time, or ours if a clock was set back. */
  #silentMs(fd: number): number {
    return Math.max(Date.now() - fstatSync(fd).mtimeMs, performance.now() - this.#lastReadAt);
  }

  #close(): void {
    if (this.#fd !== null) closeSync(this.#fd);
    this.#fd = null;
  }
}

/** The end of an open file. */
export function positionAtEnd(fd: number, offset: number): LogPosition {
  return { inode: identityOfOpen(fd), offset };
}

/** The older, uncompressed files of the log, the oldest first. svlogd(8) and the keeper keep them beside it. */
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

/** The inode of a removed file is used again, so the creation time tells the two apart. */
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
  return codeOf(error) === "ENOENT";
}
