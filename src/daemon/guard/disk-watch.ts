import { existsSync, type StatsFs, statfsSync } from "node:fs";
import { SECOND_MS } from "../../core/time.ts";
import type { Clock, Notices } from "../../engine/ports.ts";
import type { Layout } from "../../settings/layout.ts";

const LOOK_EVERY_MS = 5 * SECOND_MS;
/** The owner is told of less free space than so many times that at which Postfix refuses mail. */
const TOLD_BEFORE = 2;
/** Below this share of free inodes, and this many, the owner is told: each mail takes some, in the queue and in mailboxes. */
const FREE_SHARE = 0.05;
const FREE_INODES = 20_000;
/** Below this no mail is accepted: what was accepted must still be delivered, and can take several inodes. */
const LAST_INODES = 1_000;

/** What statfs(2) tells. */
export type Space = Pick<StatsFs, "bavail" | "bsize" | "files" | "ffree">;

export type DiskWatchParts = Readonly<{
  layout: Layout;
  clock: Clock;
  notices: Notices;
  /** Below so much free space Postfix refuses mail. */
  reservedBytes: () => number;
  space?: (path: string) => Space;
}>;

/** Tells the owner of a disk that runs full, in bytes or in inodes. */
export class DiskWatch {
  readonly #parts: DiskWatchParts;
  readonly #space: (path: string) => Space;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #lacksInodes = false;

  constructor(parts: DiskWatchParts) {
    this.#parts = parts;
    this.#space = parts.space ?? ((path) => statfsSync(path));
  }

  /** Whether a mail that is accepted now might find no inode. Postfix itself looks at the bytes alone (queue_minfree). */
  get lacksInodes(): boolean {
    return this.#lacksInodes;
  }

  /** Call it about every second. */
  look(): void {
    const { clock, layout, notices } = this.#parts;
    const now = clock.now();
    if (Math.abs(now - this.#lookedAt) < LOOK_EVERY_MS) return;
    this.#lookedAt = now;
    const disks = [layout.data, layout.postfixQueue, layout.mail]
      .filter((path) => existsSync(path))
      .map((path) => ({ path, ...this.#space(path) }));
    this.#lacksInodes = disks.some((disk) => countsInodes(disk) && disk.ffree < LAST_INODES);
    const [low] = disks.flatMap((disk) => shortOf(disk, this.#parts.reservedBytes()));
    if (low === undefined) notices.clear("disk_nearly_full");
    else notices.raise("disk_nearly_full", low);
  }
}

function shortOf(disk: Space & Readonly<{ path: string }>, reservedBytes: number): readonly string[] {
  const { path, bavail, bsize, files, ffree } = disk;
  const freeBytes = bavail * bsize;
  if (freeBytes <= TOLD_BEFORE * reservedBytes)
    return [
      `${inMegabytes(freeBytes)} MB are left below ${path}; below ${inMegabytes(reservedBytes)} MB mail is refused`,
    ];
  if (countsInodes({ files }) && ffree <= FREE_INODES && ffree <= files * FREE_SHARE)
    return [`${ffree} inodes are left below ${path}: so many files can be made; below ${LAST_INODES} mail is refused`];
  return [];
}

/** Btrfs and others make inodes as they need them, and tell 0. */
function countsInodes({ files }: Pick<Space, "files">): boolean {
  return files > 0;
}

function inMegabytes(bytes: number): number {
  return Math.floor(bytes / 1024 / 1024);
}
