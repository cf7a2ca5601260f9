import { createHash } from "node:crypto";
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  rmdirSync,
  statSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { codeOf, Directory, explained, type Held, ownUid, UnsafePath } from "./directory.ts";

/** A Maildir is seven levels deep. Each level holds open descriptors. */
const DEEPEST = 100;

/** Visits each entry below, a directory before its contents. Descends if `visit` returns true. */
export function walk(directory: Directory, visit: (entry: Held, path: string) => boolean, depth = 0): void {
  for (const name of directory.names()) {
    const path = join(directory.path, name);
    using held = directory.hold(name);
    if (held === null) continue;
    if (!held.stat.isDirectory()) {
      visit(held, path);
      continue;
    }
    using inner = enterIfStill(directory, name);
    if (inner === null || !visit(inner, path)) continue;
    if (depth === DEEPEST)
      throw new UnsafePath(`${path} lies deeper than ${DEEPEST} directories: move it away and start again.`);
    walk(inner, visit, depth + 1);
  }
}

/** Null if something else has its name now. */
function enterIfStill(directory: Directory, name: string): Directory | null {
  return unless(["ENOTDIR", "ENOENT"], () => directory.enter(name));
}

function openIfThere(path: string): Directory | null {
  return unless(["ENOENT"], () => Directory.open(path));
}

function unless(codes: readonly string[], open: () => Directory): Directory | null {
  try {
    return open();
  } catch (error) {
    if (codes.includes(String(codeOf(error)))) return null;
    throw error;
  }
}

/** Removes an empty directory; does nothing if it is missing or not empty. */
export function removeEmptyDirectory(path: string): void {
  explained(path, () => {
    using parent = openIfThere(dirname(path));
    if (parent === null) return;
    parent.mustBeOwn();
    try {
      rmdirSync(parent.at(basename(path)));
    } catch (error) {
      if (!["ENOENT", "ENOTEMPTY", "ENOTDIR"].includes(String(codeOf(error)))) throw error;
    }
  });
}

/** Removes a tree, if it exists. Removes links, not their targets. */
export function removeTree(path: string): void {
  explained(path, () => {
    using parent = openIfThere(dirname(path));
    if (parent === null) return;
    using held = parent.hold(basename(path));
    if (held === null) return;
    // As in giveDirectory: files that other users could have put there are not removed by their names.
    if (held.stat.uid !== ownUid()) parent.mustBeOwn();
    removeEntry(parent, basename(path), 0);
  });
}

function removeEntry(parent: Directory, name: string, depth: number): void {
  using held = parent.hold(name);
  if (held?.stat.isDirectory() !== true) return parent.remove(name);
  {
    using inner = parent.enter(name);
    if (depth === DEEPEST)
      throw new UnsafePath(`${inner.path} lies deeper than ${DEEPEST} directories: delete it by hand (rm -r).`);
    for (const one of inner.names()) removeEntry(inner, one, depth + 1);
  }
  rmdirSync(parent.at(name));
}

/** The paths of all files below. Links are not followed. */
export function filesBelow(top: string): readonly string[] {
  if (!existsSync(top)) return [];
  return readdirSync(top, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
}

/** The size of all files below. Files that vanish in between are not counted. */
export function bytesBelow(top: string): number {
  return filesBelow(top).reduce((sum, path) => sum + (statSync(path, { throwIfNoEntry: false })?.size ?? 0), 0);
}

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;
const PIECE_BYTES = 1 << 20;
/** Error codes: the file is missing, or is a link or a socket. */
const NO_FILE: ReadonlySet<string> = new Set(["ENOENT", "ELOOP", "ENXIO"]);

/**
 * SHA-256 of a file that another user may have put there, as hexadecimal digits; null if there is none, or a
 * link on the way to it that another user may have made.
 */
export function hashOf(path: string): string | null {
  try {
    using directory = Directory.open(dirname(path));
    const fd = openSync(directory.at(basename(path)), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    try {
      return fstatSync(fd).isFile() ? digest(fd) : null;
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (error instanceof UnsafePath || NO_FILE.has(String(codeOf(error)))) return null;
    throw error;
  }
}

function digest(fd: number): string {
  const hash = createHash("sha256");
  const piece = Buffer.allocUnsafe(PIECE_BYTES);
  for (let read = readSync(fd, piece); read > 0; read = readSync(fd, piece)) hash.update(piece.subarray(0, read));
  return hash.digest("hex");
}
