import type { Stats } from "node:fs";

/** The unit of `st_blocks` on every file system (stat(2)). */
const BLOCK_BYTES = 512;
/** How many times its space on disk an ordinary file can be long: file systems compress. */
const MOST_COMPRESSED = 8;
/**
 * Maximum bytes of copies beyond that. A hole takes no space until it is copied, nor do further names of one file. Some
 * file systems allocate the space of a new file only seconds later (ZFS), so the limit applies to the sum.
 */
export const MOST_WITHOUT_SPACE = 1 << 30;

/** By how much a copy of the file may take more space than the file itself. */
export function bytesWithoutSpace({ size, blocks, nlink }: Stats): number {
  return Math.max(0, size - (MOST_COMPRESSED * blocks * BLOCK_BYTES) / Math.max(1, nlink));
}
