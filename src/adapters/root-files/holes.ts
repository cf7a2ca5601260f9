import type { Stats } from "node:fs";

/** Of `st_blocks`, whatever the file system (stat(2)). */
const BLOCK_BYTES = 512;
/** How much longer than its space on the disk an ordinary file can be: file systems compress. */
const MOST_COMPRESSED = 8;
/**
 * Maximum bytes of copies beyond that. A hole takes no space until it is copied, and neither do further names of one file. Some
 * file systems reserve the space of a new file only seconds later (ZFS), so the sum counts and not each file.
 */
export const MOST_WITHOUT_SPACE = 1 << 30;

/** By how much a copy of the file may take more space than the file itself. */
export function bytesWithoutSpace({ size, blocks, nlink }: Stats): number {
  return Math.max(0, size - (MOST_COMPRESSED * blocks * BLOCK_BYTES) / Math.max(1, nlink));
}
