import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { mustRun } from "./commands.ts";

const SIZE_MB = 768;
/**
 * ext4 usually flushes the content of a file that replaces another by a rename (`auto_da_alloc`), and hides a missing
 * fsync with that. Other file systems do not.
 */
const STRICT = "noauto_da_alloc";
/** EXT4_IOC_SHUTDOWN with EXT4_GOING_FLAGS_NOLOGFLUSH (linux/ext4.h): nothing more reaches the disk, not even the journal. */
const CUT = 'my $how = pack("I", 2); open(my $top, "<", $ARGV[0]) or die $!; ioctl($top, 0x8004587D, $how) or die $!';

/**
 * A disk whose power can be cut: ext4 on a loop device over a file, with direct I/O. Writes that were not flushed at that moment are
 * lost, every later write fails, and the file has the content of a disk after a power failure.
 */
export class PowerDisk {
  readonly #directory: string;
  readonly #image: string;
  #cuts = 0;

  /** Its mount point; the image is next to it. */
  constructor(directory: string) {
    this.#directory = directory;
    this.#image = `${directory}-disk`;
  }

  /** Formats and mounts it. */
  async mount(): Promise<void> {
    mkdirSync(this.#directory, { recursive: true });
    const image = this.#now();
    writeFileSync(image, "");
    truncateSync(image, SIZE_MB * 1024 * 1024);
    await mustRun(["mkfs.ext4", "-q", "-F", image]);
    // If the run is stopped: before the lab removes the directory.
    process.prependListener("exit", () => spawnSync("umount", ["-q", "-l", this.#directory]));
    await this.#attach(image);
  }

  /**
   * Cuts the power: synchronous, so that the moment is exact. The file system stays mounted, and everything in it fails,
   * except that an fsync under way at that moment may say that it succeeded: the kernel then treats the transaction, which it has
   * discarded, as already written (jbd2_complete_transaction() in fs/jbd2/journal.c). So what a program
   * answers from now on promises nothing; after a power failure no one would get the answer.
   */
  cut(): void {
    const { status, stderr } = spawnSync("perl", ["-e", CUT, this.#directory], { encoding: "utf8" });
    if (status !== 0) throw new Error(`the power could not be cut: ${stderr}`);
  }

  /**
   * Mounts the remaining data; no process may use the old mount any longer. It is a copy, because other programs of this machine may have
   * taken the old mount along in a mount namespace of theirs, and the dead file system would then stay.
   */
  async restore(): Promise<void> {
    const before = this.#now();
    await mustRun(["umount", "-l", this.#directory]);
    this.#cuts += 1;
    const after = this.#now();
    await mustRun(["cp", "--sparse=always", before, after]);
    rmSync(before);
    await this.#attach(after);
  }

  async unmount(): Promise<void> {
    await mustRun(["umount", "-l", this.#directory]);
    rmSync(this.#now(), { force: true });
  }

  async #attach(image: string): Promise<void> {
    const device = (await mustRun(["losetup", "--find", "--show", "--direct-io=on", image])).trim();
    try {
      await mustRun(["mount", "-o", STRICT, device, this.#directory]);
    } finally {
      // From now on it is removed with its last mount.
      await mustRun(["losetup", "--detach", device]);
    }
  }

  #now(): string {
    return `${this.#image}.${this.#cuts}`;
  }
}
