import { closeSync, fstatSync, lstatSync, readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { LogPosition } from "../../core/events/log-position.ts";
import { isRotated } from "../../wire/logs/rotated-log.ts";
import { positionAtEnd } from "./log-follower.ts";
import { openIfThere } from "./log-index.ts";

/** The log of one component: its current file. */
export type ComponentLog = Readonly<{ component: string; current: string }>;

/** The directory of the logs that svlogd(8) does not write. */
const MAIL = "mail";
/** Excerpts of mail.log: their lines are also in mail.log. */
const COPIES: ReadonlySet<string> = new Set(["mail.warn", "mail.err"]);

/** Every log below the directory. Throws if the directory cannot be read. */
export function findLogs(directory: string): readonly ComponentLog[] {
  const folders = readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return folders.flatMap(({ name }) => {
    const folder = join(directory, name);
    const files = readdirSync(folder);
    const present =
      name === MAIL ? files.filter((file) => file.endsWith(".log") && !COPIES.has(file)) : files.filter(isCurrent);
    return present
      .map((file) => join(folder, file))
      .filter((path) => lstatSync(path, { throwIfNoEntry: false })?.isFile() === true)
      .map((current) => ({ component: name === MAIL ? basename(current, ".log") : name, current }));
  });
}

/** A snapshot of a log: even if it is rotated afterwards, each of its lines is in exactly one of the files. */
export type OpenLog = Readonly<{
  log: ComponentLog;
  /** Null: the current file is missing at the moment. */
  current: OpenFile | null;
  /** Its end. */
  end: LogPosition | null;
  /** The rotated files, newest first. */
  elder: readonly string[];
}>;

export type OpenFile = Readonly<{ path: string; fd: number; sizeBytes: number; mtimeMs: number; isFinished: boolean }>;

/** Opens the log; the caller closes the current file. */
export function openLog(log: ComponentLog): OpenLog {
  const current = openFile(log.current, false);
  const folder = dirname(log.current);
  const elder = readdirSync(folder)
    .filter((file) => isRotated(file, basename(log.current)))
    .map((file) => join(folder, file))
    .toSorted()
    .toReversed();
  // Rotated between the two steps, it would be read twice.
  const mine = current === null ? null : fstatSync(current.fd).ino;
  const others = elder.filter((path) => lstatSync(path, { throwIfNoEntry: false })?.ino !== mine);
  return { log, current, end: current === null ? null : positionAtEnd(current.fd, current.sizeBytes), elder: others };
}

/** Null: it is gone, under its old name and its compressed one. */
export function openElder(path: string): OpenFile | null {
  return openFile(path, true) ?? (isPacked(path) ? null : openFile(`${path}${PACKED}`, true));
}

const PACKED = ".gz";

export function isPacked(path: string): boolean {
  return path.endsWith(PACKED);
}

export function closeFile({ fd }: OpenFile): void {
  closeSync(fd);
}

function openFile(path: string, isFinished: boolean): OpenFile | null {
  const fd = openIfThere(path);
  if (fd === null) return null;
  const { size, mtimeMs } = fstatSync(fd);
  return { path, fd, sizeBytes: size, mtimeMs, isFinished };
}

function isCurrent(file: string): boolean {
  return file === "current";
}
