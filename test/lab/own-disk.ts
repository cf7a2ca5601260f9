import { mkdirSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { mustRun } from "./commands.ts";

/** A separate disk for these directories. Mount it before the server starts. */
export class OwnDisk {
  readonly #disk: string;
  readonly #sizeMb: number;
  readonly #directories: readonly string[];

  /** `disk`: where it is mounted. */
  constructor(disk: string, sizeMb: number, directories: readonly string[]) {
    this.#disk = disk;
    this.#sizeMb = sizeMb;
    this.#directories = directories;
  }

  async mount(): Promise<void> {
    mkdirSync(this.#disk, { recursive: true });
    await mustRun(["mount", "-t", "tmpfs", "-o", `size=${this.#sizeMb}m`, "tmpfs", this.#disk]);
    for (const directory of this.#directories) {
      const part = join(this.#disk, basename(directory));
      for (const each of [part, directory]) mkdirSync(each, { recursive: true });
      await mustRun(["mount", "--bind", part, directory]);
    }
  }

  async unmount(): Promise<void> {
    await mustRun(["umount", "-l", ...this.#directories, this.#disk]);
  }

  /** Fills it up to this much free space. */
  fill(leftBytes: number): void {
    const { bavail, bsize } = statfsSync(this.#disk);
    writeFileSync(join(this.#disk, "filler"), Buffer.alloc(bavail * bsize - leftBytes));
  }

  free(): void {
    rmSync(join(this.#disk, "filler"));
  }
}
