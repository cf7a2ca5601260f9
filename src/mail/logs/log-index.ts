import { fstatSync, readSync } from "node:fs";
import { crc32 } from "node:zlib";
import ipaddr from "ipaddr.js";
import { addressesIn } from "../../admin/declare/log-query.ts";
import { nullOn } from "../../core/error.ts";
import { type Ip, isV4, networkAddress, type Prefix, prefixLength } from "../../core/net/ip.ts";
import { Descriptor } from "../../host/root-files/directory.ts";
import { openPlain } from "../../host/root-files/files.ts";

/** A block holds as many whole lines as fill this, and is seldom larger. */
export const BLOCK_BYTES = 32 * 1024;
/** Lines after a longer line are not indexed. */
export const LONGEST_BLOCK_BYTES = 1024 * 1024;
/** Of a longer line only the first part is searched. */
export const LONGEST_SEARCHED = 4_096;
/** A character has at most four bytes. */
export const LONGEST_SEARCHED_BYTES = 4 * LONGEST_SEARCHED;
/** An index usually has 2 % of the size of its log, so this is enough for 1.6 GB. The rest is searched without an index. */
export const MOST_INDEX_BYTES = 32 * 1024 * 1024;
/** Keeps an index within an eighth of the size of its log, whatever strangers write into the log. */
const MOST_KEYS = 500;

const MAGIC = 0x67_69_00_01;
const DOUBLE = 8;
/** Checksum of all that follows; offset, length, checksum of the contents, number of keys; then come the keys. */
const FIELDS = 5;
const NO_KEYS = -1;

/** A piece of a log file and the keys of the addresses in it, ascending; null if there are too many. */
export type IndexedBlock = Readonly<{
  offset: number;
  /** Bytes in the file: fewer than the text has if the file is compressed. */
  length: number;
  crc: number;
  keys: Float64Array | null;
}>;

export type LogIndex = Readonly<{ blocks: readonly IndexedBlock[]; bytes: number }>;

export function indexName(log: string): string {
  return `${log}.index`;
}

/** `stored`: how the text is stored in the file. */
export function blockOf(text: Buffer, offset: number, stored = text): IndexedBlock {
  const keys = hasLongLine(text) ? null : addressKeysIn(text.toString("latin1"), MOST_KEYS);
  return { offset, length: stored.length, crc: crc32(stored), keys };
}

/** An index is a list of numbers: a head, and then the blocks in the order of the file. */
export function encodeIndex(blocks: readonly IndexedBlock[], part: "whole" | "continued"): Uint8Array {
  const numbers = blocks.flatMap(({ offset, length, crc, keys }) => {
    const rest = [offset, length, crc, keys?.length ?? NO_KEYS, ...(keys ?? [])];
    return [crc32(bytesOf(Float64Array.from(rest))), ...rest];
  });
  return bytesOf(Float64Array.from(part === "whole" ? [MAGIC, ...numbers] : numbers));
}

/**
 * The index of a log that is open as `fd`. Null if there is none, or if it does not belong to these contents. An incomplete block and all
 * after it are skipped.
 */
export function readIndex(log: string, fd: number, isFinished: boolean): LogIndex | null {
  const read = numbersOf(indexName(log));
  if (read === null || read.numbers[0] !== MAGIC) return null;
  const { size, mtimeMs } = fstatSync(fd);
  // A change to a finished log makes the log newer than its index.
  if (isFinished && mtimeMs >= read.mtimeMs) return null;
  const blocks: IndexedBlock[] = [];
  let at = 1;
  for (;;) {
    const block = decode(read.numbers, at);
    const end = blocks.at(-1);
    if (block === null || (end !== undefined && block.offset !== endOf(end))) break;
    blocks.push(block);
    at += FIELDS + (block.keys?.length ?? 0);
  }
  const ends = [blocks[0], blocks.at(-1)].filter((block) => block !== undefined);
  const isOfThisLog = ends.every((block) => endOf(block) <= size && readBlock(fd, block) !== null);
  return isOfThisLog ? { blocks, bytes: at * DOUBLE } : null;
}

/** The bytes of a block in the file; null if they are not those that were indexed. */
export function readBlock(fd: number, { offset, length, crc }: IndexedBlock): Buffer | null {
  const bytes = Buffer.allocUnsafe(length);
  return readSync(fd, bytes, 0, length, offset) === length && crc32(bytes) === crc ? bytes : null;
}

export function endOf({ offset, length }: IndexedBlock): number {
  return offset + length;
}

/** Cuts text into whole blocks and a rest, with which the next block starts. At the end of the log the rest is a block too. */
export function cutBlocks(text: Buffer, isEnd: boolean): readonly [blocks: readonly Buffer[], rest: Buffer] {
  const blocks: Buffer[] = [];
  let start = 0;
  while (start < text.length) {
    const lineEnd = text.indexOf("\n", start + BLOCK_BYTES - 1);
    if (lineEnd < 0 && !isEnd) break;
    const end = lineEnd < 0 ? text.length : lineEnd + 1;
    blocks.push(text.subarray(start, end));
    start = end;
  }
  return [blocks, text.subarray(start)];
}

function decode(numbers: Float64Array, at: number): IndexedBlock | null {
  const count = numbers[at + FIELDS - 1];
  if (count === undefined || !(count >= NO_KEYS && count <= MOST_KEYS)) return null;
  const end = at + FIELDS + Math.max(0, count);
  if (end > numbers.length || crc32(bytesOf(numbers.subarray(at + 1, end))) !== numbers[at]) return null;
  const [offset, length, crc] = [numbers[at + 1] ?? 0, numbers[at + 2] ?? 0, numbers[at + 3] ?? 0];
  return { offset, length, crc, keys: count < 0 ? null : numbers.subarray(at + FIELDS, end) };
}

function bytesOf(numbers: Float64Array): Uint8Array {
  return new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
}

function numbersOf(path: string): Readonly<{ numbers: Float64Array; mtimeMs: number }> | null {
  using file = openIfThere(path);
  if (file === null) return null;
  const { size, mtimeMs } = file.stat;
  const numbers = new Float64Array(Math.floor(Math.min(size, MOST_INDEX_BYTES) / DOUBLE));
  const read = readSync(file.fd, bytesOf(numbers), 0, numbers.byteLength, 0);
  return { numbers: numbers.subarray(0, Math.floor(read / DOUBLE)), mtimeMs };
}

export function openIfThere(path: string): Descriptor | null {
  return nullOn(["ENOENT"], () => new Descriptor(openPlain(path)));
}

function hasLongLine(text: Buffer): boolean {
  for (let start = 0; start < text.length; ) {
    const end = text.indexOf("\n", start);
    if ((end < 0 ? text.length : end) - start > LONGEST_SEARCHED) return true;
    if (end < 0) return false;
    start = end + 1;
  }
  return false;
}

const [V4_BITS, V6_BITS] = [32, 48];
const FIRST_V6 = 2 ** V6_BITS;

/** The keys of all addresses in a text, in ascending order. Null if there are more than `most`. */
export function addressKeysIn(text: string, most: number): Float64Array | null {
  const keys = new Set<number>();
  for (const ip of addressesIn(text)) {
    keys.add(keyOf(ip));
    if (keys.size > most) return null;
  }
  return Float64Array.from(keys).sort();
}

/** The smallest and the largest key that an address of the network can have. */
export type KeyRange = Readonly<{ from: number; to: number }>;

export function keyRange(network: Prefix): KeyRange {
  const bits = isV4(network) ? V4_BITS : V6_BITS;
  const from = keyOf(networkAddress(network));
  return { from, to: from + 2 ** Math.max(0, bits - prefixLength(network)) - 1 };
}

/** Whether a key of the range is among these, which are in ascending order. */
export function hasKeyIn(keys: Float64Array, { from, to }: KeyRange): boolean {
  let [low, high] = [0, keys.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] ?? 0) < from) low = middle + 1;
    else high = middle;
  }
  return low < keys.length && (keys[low] ?? 0) <= to;
}

/** Makes a network a range of numbers: an IPv4 address as a whole, an IPv6 address by its first 48 bits, above all of IPv4. */
function keyOf(ip: Ip): number {
  const bytes = isV4(ip)
    ? ip.split(".").map(Number)
    : ipaddr.IPv6.parse(ip)
        .toByteArray()
        .slice(0, V6_BITS / 8);
  return bytes.reduce((key, byte) => key * 256 + byte, 0) + (isV4(ip) ? 0 : FIRST_V6);
}
