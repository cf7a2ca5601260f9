import { fstatSync, readSync } from "node:fs";
import { compose, Readable } from "node:stream";
import { constants, crc32, createGunzip, deflateRawSync } from "node:zlib";
import {
  blockOf,
  cutBlocks,
  endOf,
  type IndexedBlock,
  LONGEST_BLOCK_BYTES,
  LONGEST_SEARCHED_BYTES,
  type LogIndex,
} from "./log-index.ts";

/** RFC 1952, 2.3: deflated, nothing optional, no time, from Unix. */
const HEAD = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]);
/** RFC 1951, 3.2.3: an empty block that is the last one. */
const LAST_BLOCK = Buffer.from([0x03, 0x00]);
/** Checksum and length (RFC 1952, 2.3.1). */
const TAIL_BYTES = 8;
const READ_BYTES = 256 * 1024;

/**
 * Compresses a log to a gzip file that every program can read, and in which each block of lines can be unpacked separately: the compressor
 * resets its window at the end of each block. `done` gets the blocks before the file is complete, or null if a line is too long for a
 * block.
 */
export function packLog(done: (blocks: readonly IndexedBlock[] | null) => void) {
  return async function* pack(log: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void> {
    let blocks: IndexedBlock[] | null = [];
    let [offset, crc, bytes] = [HEAD.length, 0, 0];
    const packed = (text: Buffer): Buffer => {
      const stored = deflateRawSync(text, { finishFlush: constants.Z_FULL_FLUSH });
      blocks?.push(blockOf(text, offset, stored));
      offset += stored.length;
      crc = crc32(text, crc);
      bytes += text.length;
      return stored;
    };
    yield HEAD;
    let rest: Buffer = Buffer.alloc(0);
    for await (const chunk of log) {
      const [whole, left] = cutBlocks(Buffer.concat([rest, chunk]), false);
      yield* whole.map(packed);
      rest = left;
      if (rest.length <= LONGEST_BLOCK_BYTES) continue;
      blocks = null;
      yield packed(rest);
      rest = Buffer.alloc(0);
    }
    if (rest.length > 0) yield packed(rest);
    const tail = Buffer.alloc(TAIL_BYTES);
    tail.writeUInt32LE(crc, 0);
    tail.writeUInt32LE(bytes % 2 ** 32, 4);
    yield Buffer.concat([LAST_BLOCK, tail]);
    done(blocks);
  };
}

/** Whether the blocks cover the whole compressed file. */
export function isWhole({ blocks }: LogIndex, sizeBytes: number): boolean {
  const [first, last] = [blocks[0], blocks.at(-1)];
  if (first === undefined || last === undefined) return false;
  return first.offset === HEAD.length && endOf(last) + LAST_BLOCK.length + TAIL_BYTES === sizeBytes;
}

/** Reads any compressed log from its start, in parts of whole lines. Cuts lines that are too long. Throws if it cannot be read. */
export async function* unpack(fd: number): AsyncGenerator<Buffer> {
  // An error at the end of a truncated file would discard what was read before it. So the end is checked below.
  const rules = { finishFlush: constants.Z_SYNC_FLUSH, chunkSize: READ_BYTES };
  const stream: Readable = compose(Readable.from(chunksOf(fd)), createGunzip(rules));
  let bytes = 0;
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of stream) {
    const read = Buffer.from(chunk);
    bytes += read.length;
    const text = Buffer.concat([rest, read]);
    const end = text.lastIndexOf("\n") + 1;
    // The rest of a line that is too long is skipped, not collected.
    rest = text.subarray(end, end + LONGEST_SEARCHED_BYTES);
    if (end > 0) yield text.subarray(0, end);
  }
  if (rest.length > 0) yield rest;
  if (bytes % 2 ** 32 !== lengthInTrailer(fd)) throw new Error("unexpected end of file");
}

function* chunksOf(fd: number): Generator<Buffer> {
  for (let at = 0; ; ) {
    const chunk = Buffer.allocUnsafe(READ_BYTES);
    const bytes = readSync(fd, chunk, 0, chunk.length, at);
    if (bytes === 0) return;
    yield chunk.subarray(0, bytes);
    at += bytes;
  }
}

/** The length of the contents, modulo 2^32: the last four bytes (RFC 1952, ISIZE). */
function lengthInTrailer(fd: number): number {
  const last = Buffer.alloc(4);
  readSync(fd, last, 0, last.length, Math.max(0, fstatSync(fd).size - last.length));
  return last.readUInt32LE(0);
}
