import { fstatSync, lstatSync, readdirSync, readSync } from "node:fs";
import { basename, join } from "node:path";
import { constants, inflateRawSync } from "node:zlib";
import type { LogPosition } from "../../core/decide/decision.ts";
import { elderParts, identityOfOpen } from "./log-follower.ts";
import {
  endOf,
  hasKeyIn,
  type IndexedBlock,
  type KeyRange,
  LONGEST_BLOCK_BYTES,
  LONGEST_SEARCHED_BYTES,
  openIfThere,
  readBlock,
} from "./log-index.ts";

/** The log of one component: its current file. */
export type ComponentLog = Readonly<{ component: string; current: string }>;

/** The directory of the logs that svlogd(8) does not write. */
const MAIL = "mail";

/** Every log below the directory, without mail.warn and mail.err, excerpts of mail.log. Throws if the directory cannot be read. */
export function findLogs(directory: string): readonly ComponentLog[] {
  const folders = readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return folders.flatMap(({ name }) => {
    const folder = join(directory, name);
    const files = readdirSync(folder);
    const isLog = (file: string): boolean => (name === MAIL ? file.endsWith(".log") : file === "current");
    return files
      .filter(isLog)
      .map((file) => join(folder, file))
      .filter((path) => lstatSync(path, { throwIfNoEntry: false })?.isFile() === true)
      .map((current) => ({ component: name === MAIL ? basename(current, ".log") : name, current }));
  });
}

/** A snapshot of a log: even if it is rotated afterwards, each of its lines is in exactly one of the files. */
export type LogSnapshot = Readonly<{
  log: ComponentLog;
  /** Null while the current file is missing. */
  current: OpenFile | null;
  /** The end of the current file. */
  end: LogPosition | null;
  /** The rotated files, newest first. */
  elder: readonly string[];
}>;

/** A file of a log, with the size and the time that it had when it was opened. */
export type OpenFile = Disposable &
  Readonly<{ path: string; fd: number; sizeBytes: number; mtimeMs: number; isFinished: boolean }>;

/** Opens the log; the caller closes the current file. */
export function snapshotOf(log: ComponentLog): LogSnapshot {
  const current = openFile(log.current, false);
  const elder = elderParts(log.current).toReversed();
  // A file that was rotated between these two steps would be read twice.
  const mine = current === null ? null : fstatSync(current.fd).ino;
  const others = elder.filter((path) => lstatSync(path, { throwIfNoEntry: false })?.ino !== mine);
  const end = current === null ? null : { inode: identityOfOpen(current.fd), offset: current.sizeBytes };
  return { log, current, end, elder: others };
}

/** Null if it is gone under both its old and its compressed name. */
export function openElder(path: string): OpenFile | null {
  return openFile(path, true) ?? (isPacked(path) ? null : openFile(`${path}${PACKED}`, true));
}

const PACKED = ".gz";

export function isPacked(path: string): boolean {
  return path.endsWith(PACKED);
}

function openFile(path: string, isFinished: boolean): OpenFile | null {
  const file = openIfThere(path);
  if (file === null) return null;
  const { size, mtimeMs } = file.stat;
  return { path, fd: file.fd, sizeBytes: size, mtimeMs, isFinished, [Symbol.dispose]: () => file[Symbol.dispose]() };
}

/** Some lines of a log file and their offset. Lines that are too long are truncated. */
type LogPiece = Readonly<{ start: number; text: Buffer }>;

/** A log file that can be read from its end. */
export type LogPieces = Readonly<{
  /** The pieces that may contain an address of the range, or all. Reading the next piece may overwrite the last one. */
  latestFirst: () => Generator<LogPiece, void>;
  /** The piece before the one that starts at `start`, whatever it contains. */
  before: (start: number) => LogPiece | null;
}>;

/** More would not stay in the processor's cache. */
const PIECE_BYTES = 64 * 1024;
const LINE_END = 0x0a;

type PiecesAsked = Readonly<{ range: KeyRange | null; blocks: readonly IndexedBlock[] }>;

/** Reads the first `size` bytes of an uncompressed file. Parts without blocks are read directly. */
export function plainPieces(fd: number, size: number, { range, blocks }: PiecesAsked): LogPieces {
  const usual = Buffer.allocUnsafe(PIECE_BYTES);
  const indexed = range === null ? [] : blocks.filter((block) => endOf(block) <= size);
  return { latestFirst, before: (start) => pieceBefore(start, 0, Buffer.allocUnsafe(PIECE_BYTES)) };

  function* latestFirst(): Generator<LogPiece, void> {
    const last = indexed.at(-1);
    yield* unindexed(size, last === undefined ? 0 : endOf(last));
    for (const block of indexed.toReversed()) {
      if (!mayHold(block, range)) continue;
      const text = readBlock(fd, block);
      // The file has changed since, so the index says nothing about the rest.
      if (text === null) return yield* unindexed(endOf(block), 0);
      yield { start: block.offset, text };
    }
  }

  function* unindexed(end: number, floor: number): Generator<LogPiece, void> {
    for (let at = end; ; ) {
      const piece = pieceBefore(at, floor, usual);
      if (piece === null) return;
      yield piece;
      at = piece.start;
    }
  }

  /** The piece starts with a line: at the floor, or after a line end. */
  function pieceBefore(end: number, floor: number, buffer: Buffer): LogPiece | null {
    if (end <= floor) return null;
    const from = Math.max(floor, end - buffer.length);
    const bytes = buffer.subarray(0, readSync(fd, buffer, 0, end - from, from));
    if (from === floor) return { start: floor, text: bytes };
    const lineEnd = bytes.indexOf(LINE_END);
    if (lineEnd >= 0 && lineEnd < bytes.length - 1)
      return { start: from + lineEnd + 1, text: bytes.subarray(lineEnd + 1) };
    return headOfLine(from, floor, buffer);
  }

  function headOfLine(within: number, floor: number, buffer: Buffer): LogPiece {
    let start = within;
    while (start > floor) {
      const from = Math.max(floor, start - buffer.length);
      const lineEnd = buffer.subarray(0, readSync(fd, buffer, 0, start - from, from)).lastIndexOf(LINE_END);
      start = lineEnd < 0 ? from : from + lineEnd + 1;
      if (lineEnd >= 0) break;
    }
    return { start, text: buffer.subarray(0, readSync(fd, buffer, 0, LONGEST_SEARCHED_BYTES, start)) };
  }
}

/** Reads a compressed file of which all blocks are known. */
export function packedPieces(fd: number, { range, blocks }: PiecesAsked, damaged: (why: string) => void): LogPieces {
  return { latestFirst, before };

  function* latestFirst(): Generator<LogPiece, void> {
    for (const block of blocks.toReversed()) {
      if (!mayHold(block, range)) continue;
      const text = unpacked(block);
      if (text === null) damaged(`the bytes from ${block.offset} to ${endOf(block)} have been altered`);
      else yield { start: block.offset, text };
    }
  }

  function before(start: number): LogPiece | null {
    const block = blocks.findLast(({ offset }) => offset < start);
    return block === undefined ? null : { start: block.offset, text: unpacked(block) ?? Buffer.alloc(0) };
  }

  function unpacked(block: IndexedBlock): Buffer | null {
    const stored = readBlock(fd, block);
    if (stored === null) return null;
    // The block ends where the compressor was flushed, not with its last block (RFC 1951, 3.2.3).
    const rules = { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: 2 * LONGEST_BLOCK_BYTES };
    return inflateRawSync(stored, rules);
  }
}

function mayHold({ keys }: IndexedBlock, range: KeyRange | null): boolean {
  return range === null || keys === null || hasKeyIn(keys, range);
}
