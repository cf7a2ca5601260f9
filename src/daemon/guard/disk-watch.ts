import { existsSync, readFileSync, type StatsFs, statfsSync } from "node:fs";
import { dirname } from "node:path";
import { SECOND_MS } from "../../core/time.ts";
import type { Clock, Notices } from "../../engine/ports.ts";
import type { Layout } from "../../settings/layout.ts";
import { mountOf } from "../../wire/kernel/mounts.ts";

const LOOK_EVERY_MS = 5 * SECOND_MS;
/** There is a notice below this many times the free space at which Postfix refuses mail. */
const TOLD_BEFORE = 2;
/** Below this share of free inodes, and this many, there is a notice: each mail takes some, in the queue and in mailboxes. */
const FREE_SHARE = 0.05;
const FREE_INODES = 20_000;
/** Below this no mail is accepted: accepted mail must still be delivered, and can take several inodes. */
const LAST_INODES = 1_000;

/** The result of statfs(2). */
export type Space = Pick<StatsFs, "bavail" | "bsize" | "files" | "ffree">;

type Disk = Space & Readonly<{ path: string }>;

export type DiskWatchParts = Readonly<{
  layout: Layout;
  clock: Clock;
  notices: Notices;
  /** Below this free space Postfix refuses mail. */
  reservedBytes: () => number;
  space?: (path: string) => Space;
  /** The text of /proc/self/mountinfo. */
  mounts?: () => string;
}>;

/** Reports a disk that runs out of bytes or inodes, or that cannot be written at all. */
export class DiskWatch {
  readonly #parts: DiskWatchParts;
  readonly #space: (path: string) => Space;
  readonly #mounts: () => string;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #lacksRoom = false;

  constructor(parts: DiskWatchParts) {
    this.#parts = parts;
    this.#space = parts.space ?? ((path) => statfsSync(path));
    this.#mounts = parts.mounts ?? (() => readFileSync("/proc/self/mountinfo", "utf8"));
  }

  /**
   * Whether a mail that is accepted now might find no space in its mailbox, or no inode. Postfix checks only the bytes of
   * its queue (queue_minfree).
   */
  get lacksRoom(): boolean {
    return this.#lacksRoom;
  }

  /** Call it about every second. */
  look(): void {
    const { clock, layout, reservedBytes } = this.#parts;
    const now = clock.now();
    if (Math.abs(now - this.#lookedAt) < LOOK_EVERY_MS) return;
    this.#lookedAt = now;
    const disks = [layout.data, layout.postfixQueue, layout.mail]
      .filter((path) => existsSync(path))
      .map((path) => ({ path, ...this.#space(path) }));
    const full = disks.filter((disk) => lacksInodes(disk) || freeBytes(disk) < reservedBytes());
    this.#lacksRoom = full.some((disk) => lacksInodes(disk) || disk.path === layout.mail);
    this.#tell("disk_full", full);
    this.#tell("disk_nearly_full", full.length > 0 ? [] : disks);
    this.#lookAtMounts([...disks.map(({ path }) => path), dirname(layout.engineDb)]);
  }

  #tell(code: "disk_full" | "disk_nearly_full", disks: readonly Disk[]): void {
    const { notices, reservedBytes } = this.#parts;
    const [short] = disks.flatMap((disk) => shortOf(disk, reservedBytes()));
    if (short === undefined) notices.clear(code);
    else notices.raise(code, short);
  }

  #lookAtMounts(paths: readonly string[]): void {
    const { notices } = this.#parts;
    const text = this.#mounts();
    const path = paths.find((one) => mountOf(one, text)?.isReadOnly === true);
    const mount = path === undefined ? null : mountOf(path, text);
    if (mount === null) return notices.clear("disk_read_only");
    const { point, source, type } = mount;
    notices.raise(
      "disk_read_only",
      `${path} is on ${point} (${source}, ${type}), which is read-only. Try: mount -o remount,rw ${point}`,
    );
  }
}

function shortOf(disk: Disk, reservedBytes: number): readonly string[] {
  const { path, files, ffree } = disk;
  const free = freeBytes(disk);
  if (free <= TOLD_BEFORE * reservedBytes)
    return [`${inMegabytes(free)} MB are left below ${path}; below ${inMegabytes(reservedBytes)} MB mail is refused`];
  // On a small disk, the share would be less than that at which mail is refused.
  const few = Math.max(Math.min(FREE_INODES, files * FREE_SHARE), TOLD_BEFORE * LAST_INODES);
  if (countsInodes({ files }) && ffree <= few)
    return [`${ffree} inodes are left below ${path}, one for each new file; below ${LAST_INODES} mail is refused`];
  return [];
}

function freeBytes({ bavail, bsize }: Space): number {
  return bavail * bsize;
}

function lacksInodes(disk: Disk): boolean {
  return countsInodes(disk) && disk.ffree < LAST_INODES;
}

/** Btrfs and others create inodes as they need them, and report 0. */
function countsInodes({ files }: Pick<Space, "files">): boolean {
  return files > 0;
}

function inMegabytes(bytes: number): number {
  return Math.floor(bytes / 1024 / 1024);
}
