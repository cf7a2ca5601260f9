import { isUtf8 } from "node:buffer";
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  lstatSync,
  openSync,
  readlinkSync,
  readSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { codeOf, nullOn, readOr } from "../../core/error.ts";
import type { ForeignFile } from "../../settings/layout.ts";
import { Descriptor, Directory, explained, MOST_LINKS, O_PATH, type Owner, UnsafePath } from "./directory.ts";
import { type Access, fill, mustBePlain, replace, type WriteOptions } from "./replace.ts";

const { O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;

/** Replaces the whole file. A reader sees the old text or the new one, even after a power failure. */
export function writeFile(path: string, data: string | Uint8Array, options: WriteOptions): void {
  replace(path, (place, fresh) => fill(place.createNew(fresh, 0o600), data, options), options.flush);
}

/** Creates an empty file. False if the name is taken; that file is left unchanged. The directory may belong to another user. */
export function createFile(path: string, access: Access): boolean {
  return explained(path, () => {
    using place = Directory.open(dirname(path));
    const fd = place.create(basename(path), 0o600);
    if (fd === null) return false;
    fill(fd, "", access);
    place.flush();
    return true;
  });
}

/** Sets owner and mode of an existing file. */
export function setAccess(path: string, { mode, owner }: Access): void {
  within(path, (place, name) => {
    using held = place.hold(name);
    const file = mustBePlain(path, held);
    if (owner !== undefined) file.give(owner);
    file.setMode(mode);
  });
}

/** Sets the modification time of an existing file or directory of root's. */
export function setModified(path: string, at: Date): void {
  within(path, (place, name) => {
    using held = place.hold(name);
    if (held?.stat.isDirectory() === true) held.setModified(at);
    else mustBePlain(path, held).setModified(at);
  });
}

/** Gives the socket of our program to the user who may connect to it. */
export function giveSocket(path: string, owner: Owner): void {
  within(path, (place, name) => {
    using held = place.hold(name);
    if (held?.stat.isSocket() !== true) throw new UnsafePath(`${path} is not a socket: remove it and try again.`);
    held.give(owner);
  });
}

type Plain = Readonly<{ text: string; owner: Owner; mode: number }>;

/** Reads a file that another user may have put there. Null if there is none. */
export function readPlain(path: string, mostBytes: number): Plain | null {
  return explained(path, () => {
    using place = Directory.open(dirname(path));
    using held = place.hold(basename(path));
    if (held === null) return null;
    const { size, uid, gid, mode } = mustBePlain(path, held).stat;
    if (size > mostBytes) throw new UnsafePath(`${path} is larger than such a file can be: put the right one there.`);
    return { text: bytesOf(held, mostBytes).toString(), owner: { uid, gid }, mode: mode & 0o7777 };
  });
}

/**
 * Reads a file that the settings name, even through links. Another user may own its directory, such as that of a certificate. So it
 * throws for a pipe, which would block the program, for a device, which opening may trigger, and for a file that is too long.
 */
export function readNamed(path: string, mostBytes: number): Buffer {
  return explained(path, () => {
    using file = new Descriptor(openSync(path, O_PATH));
    if (!file.stat.isFile()) throw new UnsafePath(`${path} is not a regular file.`);
    if (file.stat.size > mostBytes) throw new UnsafePath(`${path} is larger than such a file can be.`);
    return bytesOf(file, mostBytes);
  });
}

/** The problem of a text that would be read differently from its file. */
export const NOT_UTF8 = "is not UTF-8: convert it (iconv -f latin1 -t utf-8 FILE > NEW)";

/** Like `readNamed`, and also throws for text that is not UTF-8. */
export function readNamedText(path: string, mostBytes: number): string {
  const bytes = readNamed(path, mostBytes);
  if (!isUtf8(bytes)) throw new UnsafePath(`${path} ${NOT_UTF8}.`);
  return bytes.toString();
}

/** Reads the text of a file that another user may have put there. Null if none can be used. Never throws, never waits. */
export function readForeign({ foreign }: ForeignFile, mostBytes: number): string | null {
  return readOr(() => readPlain(foreign, mostBytes)?.text ?? null, null);
}

/**
 * Opens a log that another user may write, for reading. Throws if it is not a regular file: a pipe would block the whole
 * program until someone writes to it.
 */
export function openPlain(path: string, named = path): number {
  try {
    const fd = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    if (fstatSync(fd).isFile()) return fd;
    closeSync(fd);
  } catch (error) {
    // A link, or a socket (open(2)).
    if (!["ELOOP", "ENXIO"].includes(codeOf(error))) throw error;
  }
  throw new UnsafePath(`${named} is not a regular file: remove it, and let its program write a new one.`);
}

/** Like `openPlain`, for a log that the settings name. It may be a link, and so may its target, if only root can have put them there. */
export function openLog(path: string): number {
  return lstatSync(path).isSymbolicLink() ? openBehindLinks(resolve(path), 0) : openPlain(path);
}

function openBehindLinks(path: string, links: number): number {
  using place = Directory.open(dirname(path));
  const name = basename(path);
  using held = place.hold(name);
  if (held?.stat.isSymbolicLink() !== true) return openPlain(place.at(name), path);
  if (!place.isTrusted(held))
    throw new UnsafePath(`${path} is a link that users other than root can put there: name the file itself.`);
  if (links === MOST_LINKS) throw new UnsafePath(`${path} is one of too many links: name the file itself.`);
  return openBehindLinks(resolve(place.path, readlinkSync(place.at(name))), links + 1);
}

/** Bounds the read too, because the size may have changed since it was checked. */
function bytesOf({ fd, stat }: Descriptor, mostBytes: number): Buffer {
  using opened = new Descriptor(openSync(`/proc/self/fd/${fd}`, O_RDONLY | O_NONBLOCK));
  const bytes = Buffer.alloc(Math.min(stat.size, mostBytes));
  return bytes.subarray(0, readSync(opened.fd, bytes, 0, bytes.length, 0));
}

export function appendFile(path: string, data: string | Uint8Array): void {
  change(path, O_APPEND | O_CREAT, (fd) => writeFileSync(fd, data));
}

export function truncateFile(path: string, bytes: number): void {
  change(path, 0, (fd) => ftruncateSync(fd, bytes));
}

/** Does nothing if it is missing. */
export function removeFile(path: string): void {
  within(path, (place, name) => place.remove(name));
}

/** Renames a file or a directory. Replaces a file with the new name. */
export function moveFile(from: string, to: string): void {
  explained(to, () => {
    using source = Directory.own(dirname(from));
    using target = Directory.own(dirname(to));
    renameSync(source.at(basename(from)), target.at(basename(to)));
  });
}

/** Moves a file of root's into another user's directory, and gives it to that user. Replaces a file of that name. */
export function giveFile(from: string, to: string, owner: Owner): void {
  explained(to, () => {
    using source = Directory.own(dirname(from));
    using target = Directory.open(dirname(to));
    using file = source.hold(basename(from));
    mustBePlain(from, file).give(owner);
    renameSync(source.at(basename(from)), target.at(basename(to)));
  });
}

/** Makes a symbolic link, unless the name is taken. */
export function layLink(target: string, path: string): void {
  within(path, (place, name) => nullOn(["EEXIST"], () => symlinkSync(target, place.at(name))));
}

/** Makes or replaces a symbolic link atomically: the name always leads to the old target or the new one. */
export function replaceLink(target: string, path: string): void {
  replace(path, (place, fresh) => symlinkSync(target, place.at(fresh)));
}

function change(path: string, flags: number, work: (fd: number) => void): void {
  within(path, (place, name) => {
    using file = new Descriptor(openSync(place.at(name), O_WRONLY | O_NOFOLLOW | O_NONBLOCK | flags, 0o600));
    work(mustBePlain(path, file).fd);
  });
}

/** Runs the work in the directory of the path, which must be ours. Errors name the path. */
function within(path: string, work: (place: Directory, name: string) => unknown): void {
  explained(path, () => {
    using place = Directory.own(dirname(path));
    work(place, basename(path));
  });
}
