import { createHash } from "node:crypto";
import {
  closeSync,
  constants,
  copyFileSync,
  createReadStream,
  createWriteStream,
  fsyncSync,
  futimesSync,
  linkSync,
  openSync,
  readSync,
  renameSync,
  type Stats,
  type WriteStream,
} from "node:fs";
import { basename, dirname } from "node:path";
import type { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { codeOf } from "../../core/error.ts";
import { Descriptor, Directory, named, ownUid, UnsafePath, WRITABLE_BY_OTHERS } from "./directory.ts";
import { mustBePlain, replace } from "./replace.ts";

const { COPYFILE_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;
const PIECE_BYTES = 1 << 20;
const EVERYBODY_RUNS = 0o755;
/** Error codes: the file is missing, or is a link or a socket. */
const NO_FILE: ReadonlySet<string> = new Set(["ENOENT", "ELOOP", "ENXIO"]);

export function copyFile(from: string, to: string, mode: number): void {
  replace(to, (place, fresh) => {
    copyFileSync(from, place.at(fresh), COPYFILE_EXCL);
    using copy = place.hold(fresh);
    mustBePlain(to, copy).setMode(mode);
    place.flushFile(fresh);
  });
}

/**
 * Like `copyFile`, for a file in another user's directory, which may contain anything. False if it is gone, is not a regular file,
 * or has a hole that would fill the disk. Follows no link and waits for no pipe. Only root can read the copy.
 */
export function copyForeignFile(from: string, to: string): boolean {
  using source = openForeign(from);
  if (source === null || !source.stat.isFile() || bytesWithoutSpace(source.stat) > MOST_WITHOUT_SPACE) return false;
  // Copies the open file, because its name may lead to another one by now.
  copyFile(`/proc/self/fd/${source.fd}`, to, 0o600);
  return true;
}

/** Null if it is missing, a link or a socket. */
function openForeign(path: string): Descriptor | null {
  try {
    using place = Directory.open(dirname(path));
    return new Descriptor(openSync(place.at(basename(path)), O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
  } catch (error) {
    if (error instanceof UnsafePath || NO_FILE.has(codeOf(error))) return null;
    throw named(path, error);
  }
}

/**
 * SHA-256, in hexadecimal digits, of a file that another user may have put there. Null if there is none, or if the path
 * contains a link that another user may have made.
 */
export function hashOf(path: string): string | null {
  using file = openForeign(path);
  return file?.stat.isFile() === true ? digest(file.fd) : null;
}

function digest(fd: number): string {
  const hash = createHash("sha256");
  const piece = Buffer.allocUnsafe(PIECE_BYTES);
  for (let read = readSync(fd, piece); read > 0; read = readSync(fd, piece)) hash.update(piece.subarray(0, read));
  return hash.digest("hex");
}

/** Makes a hard link to a program. False if that is impossible, or if users other than root may change the program. */
export function linkProgram(from: string, to: string): boolean {
  try {
    replace(to, (place, fresh) => {
      linkSync(from, place.at(fresh));
      using file = place.hold(fresh);
      if (file === null || !isOwnProgram(file)) throw new UnsafePath(`${from} can be changed by others.`);
    });
    return true;
  } catch {
    return false;
  }
}

/**
 * Writes a stream under a temporary name, flushes it, and renames it once `isWhole` confirms that it is complete, because a
 * stream may end early without an error. Replaces nothing.
 */
export async function writeStream(
  path: string,
  source: Readable,
  { mode, isWhole }: Readonly<{ mode: number; isWhole: () => Promise<boolean> }>,
): Promise<void> {
  using place = Directory.own(dirname(path));
  const name = basename(path);
  const half = `${name}.half`;
  place.remove(half);
  using target = new Descriptor(place.createNew(half, mode));
  try {
    await pipeline(source, writer(target));
    fsyncSync(target.fd);
    if (!(await isWhole())) return;
    using present = place.hold(name);
    if (present !== null) throw new UnsafePath(`${path} was just created by another program: nothing is overwritten.`);
    renameSync(place.at(half), place.at(name));
    place.flush();
  } catch (error) {
    throw named(path, error);
  } finally {
    place.remove(half);
  }
}

/** Uses a separate descriptor, because a stream that fails closes its descriptor, whatever `autoClose` says. */
function writer({ fd }: Descriptor): WriteStream {
  return createWriteStream(`/proc/self/fd/${fd}`, { flags: "r+" });
}

function isOwnProgram({ stat }: Descriptor): boolean {
  const { mode, uid } = stat;
  const isOwn = uid === ownUid() && (mode & WRITABLE_BY_OTHERS) === 0;
  return stat.isFile() && isOwn && (mode & EVERYBODY_RUNS) === EVERYBODY_RUNS;
}

type Compressor = Transform | ((text: AsyncIterable<Buffer>) => AsyncIterable<Buffer>);

/**
 * Replaces a file with its compressed form, `.gz`, with the same owner, mode and time. Uses a temporary name until it is
 * complete.
 */
export async function compressFile(path: string, compressor: Compressor): Promise<void> {
  using place = Directory.own(dirname(path));
  const name = basename(path);
  const half = `${name}.half`;
  try {
    using source = new Descriptor(openSync(place.at(name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
    const { uid, gid, mode, atime, mtime } = mustBePlain(path, source).stat;
    place.remove(half);
    using target = new Descriptor(place.createNew(half, 0o600));
    await pipeline(createReadStream(`/proc/self/fd/${source.fd}`), compressor, writer(target));
    target.give({ uid, gid });
    target.setMode(mode & 0o777);
    futimesSync(target.fd, atime, mtime);
    fsyncSync(target.fd);
    renameSync(place.at(half), place.at(`${name}.gz`));
    place.flush();
    place.remove(name);
  } catch (error) {
    throw named(path, error);
  } finally {
    place.remove(half);
  }
}

/** The unit of `st_blocks` on every file system (stat(2)). */
const BLOCK_BYTES = 512;
/** How many times larger than its space on disk an ordinary file can be, because file systems compress. */
const MOST_COMPRESSED = 8;
/**
 * Maximum bytes of copies beyond `MOST_COMPRESSED`. Neither a hole nor another name of a file takes space before it is copied.
 * Some file systems allocate the space of a new file only seconds later (ZFS), so the limit applies to the sum.
 */
export const MOST_WITHOUT_SPACE = 1 << 30;

/** How many more bytes a copy of the file may take than the file itself. */
export function bytesWithoutSpace({ size, blocks, nlink }: Pick<Stats, "size" | "blocks" | "nlink">): number {
  return Math.max(0, size - (MOST_COMPRESSED * blocks * BLOCK_BYTES) / Math.max(1, nlink));
}

const PROBE = ".probe";
/** Errors of link(2) on file systems without hard links, such as vfat and some FUSE file systems. */
const NO_LINKS: ReadonlySet<string> = new Set(["EPERM", "EOPNOTSUPP", "ENOTSUP", "ENOSYS"]);

/**
 * Whether a file in one directory can get a hard link in the other, which is impossible across mounts (link(2), EXDEV). Tries it
 * with an empty file, because two mounts of one file system have the same device number. Throws if hard links are not supported.
 */
export function canLink(from: Directory, to: Directory, name: string): boolean {
  const made = from.create(PROBE, 0o600);
  if (made !== null) closeSync(made);
  try {
    linkSync(from.at(PROBE), to.at(name));
    to.remove(name);
    return true;
  } catch (error) {
    if (codeOf(error) === "EXDEV") return false;
    throw failureOf(error, to.path);
  } finally {
    from.remove(PROBE);
  }
}

/** A sentence for an error of link(2). */
export function failureOf(error: unknown, path: string): unknown {
  const code = codeOf(error);
  if (!NO_LINKS.has(code)) return named(path, error);
  return new UnsafePath(
    `Files in ${path} cannot get hard links (${code}), which a backup needs for mails: move it to a file system that supports them, such as ext4 or XFS.`,
  );
}
