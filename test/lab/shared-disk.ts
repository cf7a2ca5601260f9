import { mkdirSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { mustRun } from "./commands.ts";
import type { Product } from "./product.ts";

const SIZE_MB = 16;

/** A small disk that the database of the engine and Postfix's queue share, as on a real server. Made before it starts. */
export class SharedDisk {
  readonly #disk: string;
  readonly #directories: readonly string[];

  constructor({ layout }: Product) {
    this.#disk = `${layout.data}-disk`;
    this.#directories = [dirname(layout.engineDb), layout.postfixQueue];
  }

  async mount(): Promise<void> {
    mkdirSync(this.#disk, { recursive: true });
    await mustRun(["mount", "-t", "tmpfs", "-o", `size=${SIZE_MB}m`, "tmpfs", this.#disk]);
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
