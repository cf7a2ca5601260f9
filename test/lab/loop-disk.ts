import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { mustRun, runProgram } from "./commands.ts";

const SPARE_INODES = 100;
/** EXT4_IOC_SHUTDOWN with EXT4_GOING_FLAGS_NOLOGFLUSH (linux/ext4.h): nothing more reaches the disk, not even the journal. */
const CUT = 'my $how = pack("I", 2); open(my $top, "<", $ARGV[0]) or die $!; ioctl($top, 0x8004587D, $how) or die $!';

/** Why no file can be mounted as a disk here; null if one can. */
export function whyNoLoopDisk(): string | null {
  if (process.getuid?.() !== 0) return "a loop device needs root";
  const found = spawnSync("losetup", ["--find"], { encoding: "utf8" });
  return found.status === 0 ? null : `no loop device: ${found.stderr?.trim() || "no losetup"}`;
}

/** `inodes`: ext4's default if absent. `mountOptions`: those of mount(8). */
type Wish = Readonly<{ sizeMb: number; inodes?: number; mountOptions: string }>;

/**
 * For a disk whose power is cut. ext4 usually flushes the content of a file that replaces another by a rename (`auto_da_alloc`),
 * which hides a missing fsync. Other file systems do not.
 */
export const STRICT: Wish = { sizeMb: 768, mountOptions: "noauto_da_alloc" };

/** A directory on a separate ext4 disk: a file beside it, over a loop device with direct I/O. Its errors are those of a real disk. */
export function loopDisk(directory: string, { sizeMb, inodes, mountOptions }: Wish) {
  let copies = 0;
  const image = () => `${directory}-disk.${copies}`;
  const filler = join(directory, "filler");

  /** Formats and mounts it. */
  async function mount(): Promise<void> {
    mkdirSync(directory, { recursive: true });
    await mustRun(["truncate", "-s", `${sizeMb}M`, image()]);
    const few = inodes === undefined ? [] : ["-N", String(inodes)];
    await mustRun(["mkfs.ext4", "-q", "-F", ...few, image()]);
    // If the run is stopped, this must come before the lab removes the directory.
    process.prependListener("exit", () => spawnSync("umount", ["-q", "-l", directory]));
    await attach();
  }

  async function unmount(): Promise<void> {
    await mustRun(["umount", "-l", directory]);
    rmSync(image(), { force: true });
  }

  /** Uses up all inodes but a few, because the server's programs allocate and free some all the time. */
  function fillInodes(): void {
    mkdirSync(filler);
    for (let left = statfsSync(directory).ffree; left > SPARE_INODES; left--)
      writeFileSync(join(filler, String(left)), "");
  }

  const freeInodes = () => rmSync(filler, { recursive: true });

  /** What the kernel does after an error of the disk: ext4 refuses all further writes, even to open files. */
  async function fail(): Promise<void> {
    const device = (await mustRun(["findmnt", "-n", "-o", "SOURCE", directory])).trim();
    writeFileSync(`/sys/fs/ext4/${basename(device)}/trigger_fs_error`, "a test\n");
  }

  /**
   * Cuts the power, synchronously, so that the moment is exact. Writes that were not flushed are lost. The file system stays mounted,
   * and everything in it fails, except that an fsync under way at that moment may say that it succeeded: the kernel then treats the
   * transaction, which it has discarded, as already written (jbd2_complete_transaction() in fs/jbd2/journal.c). So what a program
   * answers from now on promises nothing; after a power failure no one would get the answer.
   */
  function cut(): void {
    const { status, stderr } = spawnSync("perl", ["-e", CUT, directory], { encoding: "utf8" });
    if (status !== 0) throw new Error(`the power could not be cut: ${stderr}`);
  }

  /** Mounts the data that remains after `cut`; no process may use the old mount any longer. */
  async function restore(): Promise<void> {
    await leave();
    await attach();
  }

  /** Runs fsck(8) after `fail` and mounts it again. */
  async function repair(): Promise<void> {
    await leave();
    const { code, stdout } = await runProgram(["e2fsck", "-f", "-y", image()]);
    // 1: errors were corrected.
    if (code > 1) throw new Error(`e2fsck: ${code}\n${stdout}`);
    await attach();
  }

  /**
   * Unmounts it and continues with a copy of the image: other programs of this machine may still hold the old mount in their
   * mount namespaces, and the dead file system would then stay.
   */
  async function leave(): Promise<void> {
    const before = image();
    await mustRun(["umount", "-l", directory]);
    copies += 1;
    await mustRun(["cp", "--sparse=always", before, image()]);
    rmSync(before);
  }

  async function attach(): Promise<void> {
    const device = (await mustRun(["losetup", "--find", "--show", "--direct-io=on", image()])).trim();
    try {
      await mustRun(["mount", "-o", mountOptions, device, directory]);
    } finally {
      // From now on, unmounting it for the last time removes it.
      await mustRun(["losetup", "--detach", device]);
    }
  }

  return { mount, unmount, fillInodes, freeInodes, fail, cut, restore, repair };
}
