import { statfsSync } from "node:fs";
import { dirname } from "node:path";
import { readOr } from "../../core/error.ts";

/** The free space on the disk of a directory. */
export function freeBytesAt(directory: string): number {
  const { bavail, bsize } = statfsSync(directory);
  return bavail * bsize;
}

/** `f_type` of tmpfs, ramfs and overlayfs (statfs(2)). */
const MEMORY = [0x01021994, 0x858458f6, 0x794c7630];

/** Whether a reboot loses such a file, or a new container does, which gets a new overlay layer. */
export function isInMemory(path: string): boolean {
  // Desktops mount disks below /run/media.
  if (/^\/(var\/)?run\/(?!media\/)/.test(path)) return true;
  const directory = dirname(path);
  const type = readOr(() => statfsSync(directory).type, null);
  return type === null ? directory !== path && isInMemory(directory) : MEMORY.includes(type);
}
