import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { mustRun } from "./commands.ts";
import type { Product } from "./product.ts";

/** The database of the engine on a disk of its own, so small that it can be filled. Made before the server starts. */
export class SmallDisk {
  readonly directory: string;

  constructor({ layout }: Product) {
    this.directory = dirname(layout.engineDb);
  }

  async mount(): Promise<void> {
    mkdirSync(this.directory, { recursive: true });
    await mustRun(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", this.directory]);
    process.on("exit", () => spawn("umount", ["-l", this.directory]));
  }

  async unmount(): Promise<void> {
    await mustRun(["umount", "-l", this.directory]);
  }

  /** Takes the last byte of it. */
  fill(): void {
    const file = openSync(join(this.directory, "filler"), "w");
    try {
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
