import { closeSync, existsSync, fstatSync, readdirSync, readSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { crc32 } from "node:zlib";
import type { LogPosition } from "../../core/decide/decision.ts";
import { codeOf, messageOf } from "../../core/error.ts";
import { compactTime, type Millis, parseTime } from "../../core/time.ts";
import { UnsafePath } from "../../host/root-files/directory.ts";
import { openLog } from "../../host/root-files/files.ts";

/** Takes lines together with the position after them. Returns false if they must be offered again later. */
export type TakeLines = (lines: readonly string[], position: LogPosition) => Promise<boolean>;

type LogFollowerParts = Readonly<{
  file: string;
  /** Where the last run ended; null starts at the current end. */
  from: LogPosition | null;
  take: TakeLines;
  /** Called once while the log cannot be read, unless it is missing. */
  failed: (why: string) => void;
  /**
   * The file after a rotated one is read once it has lines and the rotated one has been silent for this long. Programs that share a log do
   * not switch at the same moment, and one may not switch at all, so until the next rotation later lines of the rotated file are read too.
   * 0 for a log with a single writer.
   */
  lingerMs?: number;
}>;

/** The keeper makes all writers of a shared log switch within a second or two. */
export const WRITERS_CHANGE_OVER_MS = 3_000;

const EVERY_MS = 500;
const CHUNK_BYTES = 256 * 1024;

/**
 * Reads a log as it grows, and resumes after a restart. A file that was rotated in between is read to its end first; a truncated one is
 * read from its start. A file that lost its end in a power failure still has the same first line, so that none of its lines is read twice.
 * Only whole lines are passed on; a line longer than a chunk comes in pieces.
 */
export class LogFollower {
  readonly #parts: LogFollowerParts;
  readonly #chunk = Buffer.alloc(CHUNK_BYTES);
  #position: LogPosition | null;
  /** The checksum of the open file's first line. It is stored with each position; null until a line was read. */
  #head: string | null;
  #fd: number | null = null;
  /** The rotated file that a writer may still have open, and where to continue in it; null for a log with a single writer. */
  #former: LogPosition | null;
  #formerFd: number | null = null;
  /** Parts that existed when the current log was opened. They are older, even if their names differ because a clock was ahead. */
  #olderParts: ReadonlySet<string | null> = new Set();
  #timer: NodeJS.Timeout | null = null;
  #reading: Promise<void> | null = null;
  #failing: string | null = null;
  #isReported = false;
  #wasMissing = false;
  #lastReadAt = performance.now();

  constructor(parts: LogFollowerParts) {
    this.#parts = parts;
    const stored = parts.from === null ? null : parseStored(parts.from);
    this.#position = stored?.position ?? null;
    this.#head = stored?.head ?? null;
    this.#former = stored?.former ?? null;
  }

  get file(): string {
    return this.#parts.file;
  }

  /** Why the log could not be read last time, even if it is only missing; null if it could. */
  get failing(): string | null {
    return this.#failing;
  }

  start(): void {
    this.#timer = setInterval(() => void this.poll(), EVERY_MS);
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
      while (await this.#readFormerLines());
      while (await this.#readNewLines());
      this.#isReported = false;
      const { file } = this.#parts;
      // A file that was moved away stays open.
      this.#failing = existsSync(file) ? null : `${file} does not exist`;
    } catch (error) {
      this.#close();
      this.#failing = messageOf(error);
      const isMissing = codeOf(error) === "ENOENT";
      if (isMissing || error instanceof UnsafePath) this.#wasMissing = true;
      if (isMissing || this.#isReported) return;
      this.#isReported = true;
      this.#parts.failed(this.#failing);
    }
  }

  /** The file to resume with: the last run's, if it still exists under any name, or a copy of it. After a failure `#close` closes it. */
  #open(): number {
    const { file } = this.#parts;
    if (this.#position === null) {
      const fd = (this.#fd = openLog(file));
      const stat = fstatSync(fd, { bigint: true });
      this.#noteOlderParts();
      this.#position = { inode: identity(stat), offset: this.#wasMissing ? 0 : Number(stat.size) };
      return fd;
    }
    const { inode } = this.#position;
    const found = identityOf(file) === inode ? file : rotatedFiles(file).find((name) => identityOf(name) === inode);
    const fd = (this.#fd = openLog(found ?? file));
    if (found === undefined || found === file) this.#noteOlderParts();
    // A restored log has another inode.
    if (found === undefined && (this.#head === null || this.#wasRewritten(fd))) this.#startAtBeginning(fd);
    else this.#position = { inode: identityOfOpen(fd), offset: this.#resumedAt(fd, this.#position.offset) };
    return fd;
  }

  #startAtBeginning(fd: number): void {
    this.#position = { inode: identityOfOpen(fd), offset: 0 };
    this.#head = null;
  }

  #noteOlderParts(): void {
    this.#olderParts = new Set(rotatedFiles(this.#parts.file).map(identityOf));
  }

  #resumedAt(fd: number, offset: number): number {
    if (this.#head === null) return offset;
    if (this.#wasRewritten(fd)) return 0;
    return lineAt(fd, Math.min(offset, fstatSync(fd).size));
  }

  /** One step; false if there is nothing more to read now. */
  async #readNewLines(): Promise<boolean> {
    if (this.#fd === null || this.#position === null) return false;
    const { size } = fstatSync(this.#fd);
    if (size < this.#position.offset || (size > this.#position.offset && this.#wasRewritten(this.#fd)))
      this.#startAtBeginning(this.#fd);
    const { inode, offset } = this.#position;
    const bytes = this.#readLines(this.#fd, offset);
    if (bytes === 0) return this.#openNextFile();
    this.#head ??= headOf(this.#fd);
    this.#lastReadAt = performance.now();
    return this.#offerLines(bytes, { inode, offset: offset + bytes }, this.#former);
  }

  /** The same for the previous file, until it is compressed or removed. */
  async #readFormerLines(): Promise<boolean> {
    if (this.#former === null || this.#position === null) return false;
    const { inode, offset } = this.#former;
    if (this.#formerFd === null) {
      const found = rotatedFiles(this.#parts.file).find((name) => identityOf(name) === inode);
      if (found === undefined) this.#former = null;
      else this.#formerFd = openLog(found);
    }
    if (this.#formerFd === null) return false;
    const bytes = this.#readLines(this.#formerFd, offset);
    return bytes > 0 && this.#offerLines(bytes, this.#position, { inode, offset: offset + bytes });
  }

  /** Fills the chunk; returns the length of its whole lines. */
  #readLines(fd: number, offset: number): number {
    const bytes = readSync(fd, this.#chunk, 0, CHUNK_BYTES, offset);
    const end = this.#chunk.subarray(0, bytes).lastIndexOf("\n") + 1;
    return end === 0 && bytes === CHUNK_BYTES ? bytes : end;
  }

  /** Whether the file was truncated since the last check and has grown beyond the previous offset. */
  #wasRewritten(fd: number): boolean {
    return this.#head !== null && headOf(fd) !== this.#head;
  }

  async #offerLines(bytes: number, position: LogPosition, former: LogPosition | null): Promise<boolean> {
    const text = this.#chunk.toString("utf8", 0, bytes);
    const lines = text.split("\n").filter((line) => line !== "");
    if (!(await this.#parts.take(lines, printStored({ position, head: this.#head, former })))) return false;
    this.#position = position;
    this.#former = former;
    return true;
  }

  /** Leaves a rotated file that has been read to its end. */
  #openNextFile(): boolean {
    const { file, lingerMs = 0 } = this.#parts;
    if (this.#position === null || this.#fd === null) return false;
    const { inode, offset } = this.#position;
    const current = identityOf(file);
    if (current === null || current === inode) return false;
    // Lines written between the last read and the rotation.
    if (lingerMs === 0 && this.#readLines(this.#fd, offset) > 0) return true;
    const rotated = rotatedFiles(file);
    const mine = rotated.findIndex((name) => identityOf(name) === inode);
    const later = mine < 0 ? [] : rotated.slice(mine + 1);
    const next = later.find((name) => !this.#olderParts.has(identityOf(name))) ?? file;
    const isEmpty = (statSync(next, { throwIfNoEntry: false })?.size ?? 0) === 0;
    if (lingerMs > 0 && (isEmpty || this.#silentMs(this.#fd) < lingerMs)) return false;
    const fd = openLog(next);
    const left = this.#position;
    if (lingerMs === 0) this.#close();
    else {
      if (this.#formerFd !== null) closeSync(this.#formerFd);
      [this.#former, this.#formerFd] = [left, this.#fd];
    }
    this.#fd = fd;
    this.#startAtBeginning(fd);
    if (next === file) this.#noteOlderParts();
    return true;
  }

  /** Uses the file's time, or ours if a clock was set back. */
  #silentMs(fd: number): number {
    return Math.max(Date.now() - fstatSync(fd).mtimeMs, performance.now() - this.#lastReadAt);
  }

  #close(): void {
    for (const fd of [this.#fd, this.#formerFd]) if (fd !== null) closeSync(fd);
    this.#fd = null;
    this.#formerFd = null;
  }
}

type Stored = Readonly<{ position: LogPosition; head: string | null; former: LogPosition | null }>;
/** The `inode` of a stored position: `identity`, `headOf`, and the previous file's `identity` and offset. */
const STORED = /^(\d+-\d+)(?:-([0-9a-f]{8}))?(?:\+(\d+-\d+):(\d+))?$/;

function parseStored(stored: LogPosition): Stored {
  const [, inode = stored.inode, head = null, former, offset] = STORED.exec(stored.inode) ?? [];
  const left = former === undefined ? null : { inode: former, offset: Number(offset) };
  return { position: { ...stored, inode }, head, former: left };
}

function printStored({ position, head, former }: Stored): LogPosition {
  const start = head === null ? "" : `-${head}`;
  const left = former === null ? "" : `+${former.inode}:${former.offset}`;
  return { ...position, inode: `${position.inode}${start}${left}` };
}

const HEAD_BYTES = 256;

/** The CRC-32 of a file's first line, cut to 256 bytes. It differs between files, because lines start with the time. */
function headOf(fd: number): string {
  const head = Buffer.alloc(HEAD_BYTES);
  const bytes = readSync(fd, head, 0, HEAD_BYTES, 0);
  const end = head.subarray(0, bytes).indexOf("\n") + 1;
  return crc32(head.subarray(0, end === 0 ? bytes : end))
    .toString(16)
    .padStart(8, "0");
}

/** Where the first line starts at this offset or later, because other lines may have replaced lost ones. */
function lineAt(fd: number, offset: number): number {
  if (offset === 0) return 0;
  const text = Buffer.alloc(CHUNK_BYTES);
  const end = text.subarray(0, readSync(fd, text, 0, CHUNK_BYTES, offset - 1)).indexOf("\n");
  return end < 0 ? offset : offset + end;
}

/**
 * The older, uncompressed files of the log, oldest first. Only those of logrotate(8), whose names don't sort by age, are ordered by
 * creation time, which is new for every file of a copied directory.
 */
function rotatedFiles(file: string): readonly string[] {
  const directory = dirname(file);
  const elsewhere = readdirSync(directory)
    .filter((name) => isRotatedElsewhere(name, basename(file)))
    .map((name) => ({ path: join(directory, name), created: createdAt(join(directory, name)) }))
    .toSorted((a, b) => a.created - b.created || (a.path < b.path ? -1 : 1))
    .map(({ path }) => path);
  return [...elsewhere, ...elderParts(file).filter((path) => !path.endsWith(".gz"))];
}

/** On a file system without creation times: when it was last written, which a writer that does not switch changes. */
function createdAt(path: string): number {
  const { birthtimeMs = 0, mtimeMs = 0 } = statSync(path, { throwIfNoEntry: false }) ?? {};
  return birthtimeMs > 0 ? birthtimeMs : mtimeMs;
}

/** Inode numbers of removed files are reused, so the creation time distinguishes the files. */
function identity({ ino, birthtimeMs }: Readonly<{ ino: bigint; birthtimeMs: bigint }>): string {
  return `${ino}-${birthtimeMs}`;
}

function identityOf(path: string): string | null {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  return found === undefined ? null : identity(found);
}

export function identityOfOpen(fd: number): string {
  return identity(fstatSync(fd, { bigint: true }));
}

/** Names of rotated logs: by svlogd(8) `@TAI64N.s`, by the keeper `mail.log.20261120-081500[.gz]`. */
const BY_SVLOGD = /^@[0-9a-f]{8,32}\.[su]$/;
const BY_KEEPER = /^\.\d{8}-\d{6}(?:-\d+)?(?:\.gz)?$/;

/** Whether `name` is a rotated part of the log `of`, both without their directory. */
export function isRotated(name: string, of: string): boolean {
  return of === "current" ? BY_SVLOGD.test(name) : name.startsWith(of) && BY_KEEPER.test(name.slice(of.length));
}

/** The rotated parts of a log, oldest first, by name. */
export function elderParts(file: string): readonly string[] {
  const directory = dirname(file);
  return readdirSync(directory)
    .filter((name) => isRotated(name, basename(file)))
    .toSorted()
    .map((name) => join(directory, name));
}

/** By logrotate(8): `eve.json.1`, `eve.json-20261120`. */
const BY_LOGROTATE = /^(?:\.\d{1,4}|-\d{8,10}(?:-\d{1,10})?)$/;

/** The same for a log that another program writes and rotates, without compressed parts. */
export function isRotatedElsewhere(name: string, of: string): boolean {
  return name.startsWith(of) && BY_LOGROTATE.test(name.slice(of.length));
}

const NAMED_TIME = /^.*\.(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)[^/]*$/;

/** The time in a name that the keeper gave; null for any other name. */
export function rotatedAt(part: string): Millis | null {
  return parseTime(part.replace(NAMED_TIME, "$1-$2-$3T$4:$5:$6Z"));
}

/** The name of a log that is rotated at this time (UTC); such names sort by age. */
export function rotatedName(log: string, at: Millis): string {
  return `${log}.${compactTime(at).slice(0, -1).replace("T", "-")}`;
}
