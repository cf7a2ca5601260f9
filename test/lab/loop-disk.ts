import { spawnSync } from "node:child_process";
import { constants, copyFileSync, mkdirSync, readdirSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { mustRun, runProgram } from "./commands.ts";

const SIZE_MB = 600;
const SPARE_INODES = 100;

/** Why no file can be mounted as a disk here; null if one can. */
export function whyNoLoopDisk(): string | null {
  if (process.getuid?.() !== 0) return "a loop device needs root";
  const found = spawnSync("losetup", ["--find"], { encoding: "utf8" });
  return found.status === 0 ? null : `no loop device: ${found.stderr?.trim() || "no losetup"}`;
}

/** A directory on a separate ext4 disk, in a file, with few inodes. Its errors are those of a real disk. */
export class LoopDisk {
  readonly #directory: string;
  readonly #inodes: number;
  #image: string;

  constructor(directory: string, inodes: number) {
    this.#directory = directory;
    this.#inodes = inodes;
    this.#image = `${directory}.img`;
  }

  async mount(): Promise<void> {
    mkdirSync(this.#directory, { recursive: true });
    await mustRun(["truncate", "-s", `${SIZE_MB}M`, this.#image]);
    await mustRun(["mkfs.ext4", "-q", "-F", "-N", String(this.#inodes), this.#image]);
    await this.#mount();
  }

  async unmount(): Promise<void> {
    await mustRun(["umount", "-l", this.#directory]);
  }

  /** What the kernel does after an error of the disk: ext4 refuses all further writes, even to open files. */
  async fail(): Promise<void> {
    const device = (await mustRun(["findmnt", "-n", "-o", "SOURCE", this.#directory])).trim();
    writeFileSync(`/sys/fs/ext4/${basename(device)}/trigger_fs_error`, "a test\n");
  }

  /** Runs fsck(8) and mounts it again. Uses a copy: other tests' mount namespaces can still hold the failed one. */
  async repair(): Promise<void> {
    await this.unmount();
    const copy = `${this.#image}.mended`;
    copyFileSync(this.#image, copy, constants.COPYFILE_FICLONE);
    const { code, stdout } = await runProgram(["e2fsck", "-f", "-y", copy]);
    // 1: errors were corrected.
    if (code > 1) throw new Error(`e2fsck: ${code}\n${stdout}`);
    rmSync(this.#image);
    this.#image = copy;
    await this.#mount();
  }

  /** Uses up all but a few inodes, which the server's programs allocate and free all the time. */
  fillInodes(): void {
    const filler = this.#filler();
    mkdirSync(filler);
    for (let left = statfsSync(this.#directory).ffree; left > SPARE_INODES; left--)
      writeFileSync(join(filler, String(left)), "");
  }

  freeInodes(): void {
    const filler = this.#filler();
    for (const name of readdirSync(filler)) rmSync(join(filler, name));
    rmSync(filler, { recursive: true });
  }

  #filler(): string {
    return join(this.#directory, "filler");
  }

  #mount(): Promise<string> {
    return mustRun(["mount", "-o", "loop,errors=remount-ro", this.#image, this.#directory]);
  }
}
