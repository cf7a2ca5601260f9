import { closeSync, mkdirSync, openSync, rmSync, statfsSync, writeSync } from "node:fs";
import { basename, join } from "node:path";
import { mustRun } from "./commands.ts";

export type SmallDisk = ReturnType<typeof smallDisk>;

/**
 * A separate disk, small enough to fill, that holds one or several directories of the server. It is mounted before the server
 * starts, and unmounted with the lab. `size`: as mount(8) takes it for a tmpfs. `parts`: further directories that it holds.
 */
export function smallDisk(directory: string, size: string, parts: readonly string[] = []) {
  async function mount(): Promise<void> {
    mkdirSync(directory, { recursive: true });
    await mustRun(["mount", "-t", "tmpfs", "-o", `size=${size},mode=0755`, "tmpfs", directory]);
    for (const part of parts) {
      const place = join(directory, basename(part));
      for (const each of [place, part]) mkdirSync(each, { recursive: true });
      await mustRun(["mount", "--bind", place, part]);
    }
  }

  /** Fills it, except for this many bytes. */
  function fill(leaves = 0): void {
    const file = openSync(join(directory, "filler"), "a");
    const { bavail, bsize } = statfsSync(directory);
    try {
      if (leaves > 0) {
        writeSync(file, Buffer.alloc(bavail * bsize - leaves));
        return;
      }
      for (let size = 1 << 20; size >= 1; size >>= 1)
        try {
          for (;;) if (writeSync(file, Buffer.alloc(size)) < size) break;
        } catch {
          // No room for a block of this size: tries half of it.
        }
    } finally {
      closeSync(file);
    }
  }

  const free = () => rmSync(join(directory, "filler"));

  return { mount, fill, free };
}
