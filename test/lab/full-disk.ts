import { closeSync, mkdirSync, openSync, rmSync, statfsSync, writeSync } from "node:fs";
import { basename, join } from "node:path";
import { mustRun } from "./commands.ts";

/** A separate disk, small enough to fill, that holds one or several directories of the server. Mounted before it starts. */
export class SmallDisk {
  readonly directory: string;
  readonly #size: string;
  readonly #parts: readonly string[];

  /** `size`: as mount(8) takes it for a tmpfs. `parts`: directories elsewhere that it holds too. */
  constructor(directory: string, size: string, parts: readonly string[] = []) {
    this.directory = directory;
    this.#size = size;
    this.#parts = parts;
  }

  async mount(): Promise<void> {
    mkdirSync(this.directory, { recursive: true });
    await mustRun(["mount", "-t", "tmpfs", "-o", `size=${this.#size},mode=0755`, "tmpfs", this.directory]);
    for (const part of this.#parts) {
      const place = join(this.directory, basename(part));
      for (const each of [place, part]) mkdirSync(each, { recursive: true });
      await mustRun(["mount", "--bind", place, part]);
    }
  }

  async unmount(): Promise<void> {
    await mustRun(["umount", "-l", ...this.#parts, this.directory]);
  }

  /** Fills it up to this many bytes. */
  fill(leaves = 0): void {
    const file = openSync(join(this.directory, "filler"), "a");
    const { bavail, bsize } = statfsSync(this.directory);
    try {
      if (leaves > 0) {
        writeSync(file, Buffer.alloc(bavail * bsize - leaves));
        return;
      }
      for (let size = 1 << 20; size >= 1; size >>= 1)
        try {
          for (;;) if (writeSync(file, Buffer.alloc(size)) < size) break;
        } catch {
          // Full for this size; the next is half of it.
        }
    } finally {
      closeSync(file);
    }
  }

  free(): void {
    rmSync(join(this.directory, "filler"));
  }
}
