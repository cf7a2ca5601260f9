import { existsSync, readFileSync, type StatsFs, statfsSync } from "node:fs";
import { dirname, join } from "node:path";
import { formatDuration, isoTime, SECOND_MS } from "../../core/time.ts";
import type { Engine } from "../../guard/engine.ts";
import type { Clock, Log, Notices } from "../../guard/ports.ts";
import { mountOf } from "../../host/kernel/mounts.ts";
import type { Jump } from "../../host/machine/clock.ts";
import { textOrNothing } from "../../host/machine/read-text.ts";
import type { Layout } from "../../settings/layout.ts";

type ClockWatchParts = Readonly<{
  clock: Readonly<{ jump: () => Jump | null; accepted: () => number }>;
  engine: Pick<Engine, "audit">;
  notices: Notices;
  log: Log;
  /** Ends the guard, which is restarted at once. */
  restart: () => void;
}>;

/** Returns a check that reports that the machine's clock was set, and what happened next. Call it about every second. */
export function createClockWatch({ clock, engine, notices, log, restart }: ClockWatchParts) {
  let reported: Jump | null = null;
  let accepted = 0;

  function recordEnd(jump: Jump): void {
    if (clock.accepted() === accepted) return record(`${directionOf(jump)}, and it came back`);
    accepted = clock.accepted();
    record(`${directionOf(jump)}, and it is trusted now`);
    if (jump.byMs > 0) return;
    // Times in memory would lie in the future, and wait for the old time.
    log.warn("The machine's clock was set back: the guard restarts.", { byMs: jump.byMs });
    restart();
  }

  function record(what: string): void {
    void engine.audit({ type: "CLOCK_JUMPED", subject: `The machine's clock was set ${what}`, by: "engine" });
  }

  return (): void => {
    const jump = clock.jump();
    const before = reported;
    if (jump?.since === before?.since && jump?.byMs === before?.byMs) return;
    reported = jump;
    notices.set("clock_jumped", jump && detailOf(jump));
    if (jump !== null) record(directionOf(jump));
    else if (before !== null) recordEnd(before);
  };
}

function detailOf(jump: Jump): string {
  const { since, acceptedAt } = jump;
  return `It was set ${directionOf(jump)} at ${isoTime(since)}; the guard keeps using the old time until ${isoTime(acceptedAt)}. Try: timedatectl set-ntp true`;
}

/** Whole seconds: a synchronized clock is corrected by fractions of them. */
function directionOf({ byMs }: Jump): string {
  const seconds = Math.round(Math.abs(byMs) / SECOND_MS) * SECOND_MS;
  return `${byMs > 0 ? "ahead" : "back"} by ${formatDuration(seconds)}`;
}

/** Shares of the table: reported above the first, until this much is free again. */
const FULL = 0.9;
const ROOMY = 0.8;
/** As Linux names them (Documentation/networking/nf_conntrack-sysctl.rst). */
const KERNEL = "/proc/sys/net/netfilter";

/**
 * Returns a check that reports that the kernel's table of tracked connections fills up. While it is full, packets of new connections are dropped
 * before any program sees them, and no log shows it. Some firewall rules make the kernel track connections, including our rule
 * that counts connections while the guard is down. `directory`: the kernel's number of tracked connections, and its limit.
 */
export function createTrackingWatch(notices: Notices, directory = KERNEL) {
  let isRaised = false;
  const read = (name: string): number | null => {
    const text = textOrNothing(join(directory, name)).trim();
    return /^\d{1,15}$/.test(text) ? Number(text) : null;
  };
  return (): void => {
    const count = read("nf_conntrack_count");
    const most = read("nf_conntrack_max");
    // A kernel that tracks nothing has neither; 0 means no limit.
    isRaised = count !== null && most !== null && most > 0 && count >= most * (isRaised ? ROOMY : FULL);
    const command = `sysctl -w net.netfilter.nf_conntrack_max=${2 * (most ?? 0)}`;
    notices.set("tracking_full", isRaised ? `It holds ${count} of ${most} connections. Try: ${command}` : null);
  };
}

const DISK_EVERY_MS = 5 * SECOND_MS;
/** Below this multiple of the space at which Postfix refuses mail, there is a notice, and mail that may wait in the queue is deferred. */
const REPORTED_BEFORE = 2;
/** Below this share and this number of free inodes there is a notice: each mail takes some, in the queue and in mailboxes. */
const FREE_SHARE = 0.05;
const FREE_INODES = 20_000;
/** Below this no mail is accepted: accepted mail must still be delivered, and can take several inodes. */
const LAST_INODES = 1_000;

/** The result of statfs(2). */
export type Space = Pick<StatsFs, "bavail" | "bsize" | "files" | "ffree">;

type Disk = Space & Readonly<{ path: string }>;

type DiskWatchParts = Readonly<{
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
export function createDiskWatch({
  layout,
  clock,
  notices,
  reservedBytes,
  space = (path) => statfsSync(path),
  mounts = () => readFileSync("/proc/self/mountinfo", "utf8"),
}: DiskWatchParts) {
  let lookedAt = Number.NEGATIVE_INFINITY;
  /**
   * Whether a mail that is accepted now might find no space in its mailbox, or no inode. Postfix checks only the bytes of
   * its queue (queue_minfree).
   */
  let lacksRoom = false;
  /**
   * Whether the remaining space is reserved for mailboxes, which have a quota. Mail that may wait in the queue is then deferred: one user
   * could otherwise fill the disk with mail to a server that never accepts it.
   */
  let lacksRoomToQueue = false;

  /** Call it about every second. */
  function look(): void {
    const now = clock.now();
    if (Math.abs(now - lookedAt) < DISK_EVERY_MS) return;
    lookedAt = now;
    const disks = [layout.data, layout.postfixQueue, layout.mail]
      .filter((path) => existsSync(path))
      .map((path) => ({ path, ...space(path) }));
    const full = disks.filter((disk) => lacksInodes(disk) || freeBytes(disk) < reservedBytes());
    lacksRoom = full.some((disk) => lacksInodes(disk) || disk.path === layout.mail);
    const ofQueue = disks.filter(({ path }) => path !== layout.mail);
    lacksRoomToQueue = ofQueue.some((disk) => shortOf(disk, reservedBytes()).length > 0);
    report("disk_full", full);
    report("disk_nearly_full", disks);
    lookAtMounts([...disks.map(({ path }) => path), dirname(layout.engineDb)]);
  }

  function report(code: "disk_full" | "disk_nearly_full", disks: readonly Disk[]): void {
    notices.set(code, disks.flatMap((disk) => shortOf(disk, reservedBytes()))[0] ?? null);
  }

  function lookAtMounts(paths: readonly string[]): void {
    const text = mounts();
    const path = paths.find((one) => mountOf(one, text)?.isReadOnly === true);
    const mount = path === undefined ? null : mountOf(path, text);
    if (mount === null) return notices.set("disk_read_only", null);
    const { point, source, type } = mount;
    notices.set(
      "disk_read_only",
      `${path} is on ${point} (${source}, ${type}), which is read-only. Try: mount -o remount,rw ${point}`,
    );
  }

  return { look, lacksRoom: () => lacksRoom, lacksRoomToQueue: () => lacksRoomToQueue };
}

function shortOf(disk: Disk, reservedBytes: number): readonly string[] {
  const { path, files, ffree } = disk;
  const free = freeBytes(disk);
  if (free <= REPORTED_BEFORE * reservedBytes)
    return [
      `${inMegabytes(free)} MB are left below ${path}; below ${inMegabytes(reservedBytes)} MB mail is refused. Try: du -xDh --max-depth=2 ${path} | sort -h | tail`,
    ];
  // On a small disk, the share would be less than that at which mail is refused.
  const few = Math.max(Math.min(FREE_INODES, files * FREE_SHARE), REPORTED_BEFORE * LAST_INODES);
  if (countsInodes({ files }) && ffree <= few)
    return [
      `${ffree} inodes are left below ${path}, one for each new file; below ${LAST_INODES} mail is refused. Try: du --inodes -xD --max-depth=2 ${path} | sort -n | tail`,
    ];
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
