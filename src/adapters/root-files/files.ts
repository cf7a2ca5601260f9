import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  lstatSync,
  openSync,
  readSync,
  realpathSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname } from "node:path";
import type { ForeignFile } from "../../settings/layout.ts";
import { Directory, type Held, type Owner } from "./directory.ts";
import { type Access, fill, mustBePlain, replace, type Written } from "./replace.ts";
import { codeOf, told, UnsafePath } from "./unsafe-path.ts";

const { O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;

/** Replaces the whole file: a reader sees the old text or the new one, also after a power failure. */
export function writeFile(path: string, data: string | Uint8Array, written: Written): void {
  const make = (place: Directory, fresh: string): void => {
    const fd = place.create(fresh, 0o600);
    if (fd === null) throw new UnsafePath(`${path}.new was made by another program meanwhile: try again.`);
    fill(fd, data, written);
  };
  replace(path, make, written.flush);
}

/** False if the name is taken; that file is left alone. The directory may belong to another user. */
export function createFile(path: string, data: string, access: Access): boolean {
  return told(path, () => {
    using place = Directory.open(dirname(path));
    const fd = place.create(basename(path), 0o600);
    if (fd !== null) fill(fd, data, access);
    return fd !== null;
  });
}

/** Sets owner and mode of an existing file. */
export function setAccess(path: string, { mode, owner }: Access): void {
  told(path, () => {
    using place = Directory.own(dirname(path));
    using held = place.hold(basename(path));
    const file = mustBePlain(path, held);
    if (owner !== undefined) file.give(owner);
    file.setMode(mode);
  });
}

/** Sets when an existing file or directory of root's was changed last. */
export function setModified(path: string, at: Date): void {
  told(path, () => {
    using place = Directory.own(dirname(path));
    using held = place.hold(basename(path));
    if (held?.stat.isDirectory() === true) held.setModified(at);
    else mustBePlain(path, held).setModified(at);
  });
}

/** Gives the socket of our program to the user who may connect to it. */
export function giveSocket(path: string, owner: Owner): void {
  told(path, () => {
    using place = Directory.own(dirname(path));
    using held = place.hold(basename(path));
    if (held?.stat.isSocket() !== true) throw new UnsafePath(`${path} is no socket: remove it and try again.`);
    held.give(owner);
  });
}

export type Plain = Readonly<{ text: string; owner: Owner; mode: number }>;

/** A file that another user may have put there; null if there is none. */
export function readPlain(path: string, mostBytes: number): Plain | null {
  return told(path, () => {
    using place = Directory.open(dirname(path));
    using held = place.hold(basename(path));
    if (held === null) return null;
    const { size, uid, gid, mode } = mustBePlain(path, held).stat;
    if (size > mostBytes) throw new UnsafePath(`${path} is larger than such a file can be: put the right one there.`);
    return { text: textOf(held, mostBytes), owner: { uid, gid }, mode: mode & 0o7777 };
  });
}

/** Opens what the settings name for reading, through links too, without waiting for the writer of a pipe. Check what it is. */
export function openNamed(path: string): number {
  return openSync(path, O_RDONLY | O_NONBLOCK);
}

/** The text of a file that another user may have put there; null if there is none that can be used. Never throws, never waits. */
export function readForeign({ foreign }: ForeignFile, mostBytes: number): string | null {
  try {
    return readPlain(foreign, mostBytes)?.text ?? null;
  } catch {
    return null;
  }
}

/**
 * Opens a log that another user may write, for reading. Throws if it is not a regular file: a pipe would block the whole
 * program until someone writes to it.
 */
export function openPlain(path: string): number {
  try {
    const fd = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    if (fstatSync(fd).isFile()) return fd;
    closeSync(fd);
  } catch (error) {
    // A link, or a socket (open(2)).
    if (!["ELOOP", "ENXIO"].includes(String(codeOf(error)))) throw error;
  }
  throw new UnsafePath(`${path} is not a regular file: remove it, and let its program write a new one.`);
}

/** The same for a log that the settings name: it may be a link, if root made it. */
export function openLog(path: string): number {
  const link = lstatSync(path, { bigint: true });
  if (!link.isSymbolicLink()) return openPlain(path);
  if (link.uid !== 0n) throw new UnsafePath(`${path} is a link that root did not make: name the file itself.`);
  const fd = openPlain(realpathSync(path));
  // A user who may write in the directory could have swapped the link for a moment.
  const now = lstatSync(path, { bigint: true });
  if (now.ino === link.ino && now.ctimeNs === link.ctimeNs) return fd;
  closeSync(fd);
  throw new UnsafePath(`${path} was changed while it was opened.`);
}

/** Its size may have changed since it was checked, so what is read is bounded too. */
function textOf({ fd, stat }: Held, mostBytes: number): string {
  const opened = openSync(`/proc/self/fd/${fd}`, O_RDONLY | O_NONBLOCK);
  try {
    const bytes = Buffer.alloc(Math.min(stat.size, mostBytes));
    return bytes.toString("utf8", 0, readSync(opened, bytes, 0, bytes.length, 0));
  } finally {
    closeSync(opened);
  }
}

export function appendFile(path: string, data: string | Uint8Array): void {
  change(path, O_APPEND | O_CREAT, (fd) => writeFileSync(fd, data));
}

export function truncateFile(path: string, bytes: number): void {
  change(path, 0, (fd) => ftruncateSync(fd, bytes));
}

/** Does nothing if there is none. */
export function removeFile(path: string): void {
  told(path, () => {
    using place = Directory.own(dirname(path));
    place.remove(basename(path));
  });
}

/** Of a file or a directory. Replaces a file that has the new name. */
export function moveFile(from: string, to: string): void {
  told(to, () => {
    using source = Directory.own(dirname(from));
    using target = Directory.own(dirname(to));
    renameSync(source.at(basename(from)), target.at(basename(to)));
  });
}

/** Moves a file of root's into a directory of another user, and gives it to that user. Replaces what has its name there. */
export function giveFile(from: string, to: string, owner: Owner): void {
  told(to, () => {
    using source = Directory.own(dirname(from));
    using target = Directory.open(dirname(to));
    using file = source.hold(basename(from));
    mustBePlain(from, file).give(owner);
    renameSync(source.at(basename(from)), target.at(basename(to)));
  });
}

/** Makes a symbolic link, unless the name is taken. */
export function layLink(target: string, path: string): void {
  told(path, () => {
    using place = Directory.own(dirname(path));
    try {
      symlinkSync(target, place.at(basename(path)));
    } catch (error) {
      if (codeOf(error) !== "EEXIST") throw error;
    }
  });
}

function change(path: string, flags: number, work: (fd: number) => void): void {
  told(path, () => {
    using place = Directory.own(dirname(path));
    const fd = openSync(place.at(basename(path)), O_WRONLY | O_NOFOLLOW | O_NONBLOCK | flags, 0o600);
    try {
      mustBePlain(path, { stat: fstatSync(fd) });
      work(fd);
    } finally {
      closeSync(fd);
    }
  });
}
