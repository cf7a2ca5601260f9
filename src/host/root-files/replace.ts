import { closeSync, fchmodSync, fchownSync, fsyncSync, renameSync, writeFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import { codeOf } from "../../core/error.ts";
import { type Descriptor, Directory, explained, type Owner, UnsafePath } from "./directory.ts";

/** How many attempts another of our programs may disturb by writing the same file at the same moment. */
const TRIES = 10;

/** Owner and mode of a file. Without an owner it belongs to the user who runs this: root. */
export type Access = Readonly<{ mode: number; owner?: Owner }>;

/** `flush: false` is for a file that each start writes again, because it may be empty after a power failure. */
export type WriteOptions = Access & Readonly<{ flush?: boolean }>;

/**
 * Writes a file beside the named one, and renames it when it is complete. After a power failure the name leads to the old
 * file or to the new one, provided that `make` flushed it: a rename may reach the disk before the content does.
 */
export function replace(path: string, make: (place: Directory, fresh: string) => void, flush = true): void {
  explained(path, () => {
    using place = Directory.own(dirname(path));
    const fresh = `${basename(path)}.new`;
    for (let tried = 1; ; tried++) {
      // Left by a start that was killed.
      place.remove(fresh);
      try {
        make(place, fresh);
        renameSync(place.at(fresh), place.at(basename(path)));
        if (flush) place.flush();
        return;
      } catch (error) {
        if (tried === TRIES || !isDisturbed(error)) {
          place.remove(fresh);
          throw error;
        }
        // Waits, so that both do not retry at the same moment.
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Math.random() * tried);
      }
    }
  });
}

/** Whether another of our programs made, renamed or removed the temporary file, or owns it. */
function isDisturbed(error: unknown): boolean {
  const code = codeOf(error);
  return code === "ENOENT" || code === "EEXIST" || error instanceof UnsafePath;
}

/**
 * Writes a file that `Directory.create` made, and closes it. Writes the content before setting owner and mode, so that only
 * root can read it until then.
 */
export function fill(fd: number, data: string | Uint8Array, { mode, owner, flush = true }: WriteOptions): void {
  try {
    writeFileSync(fd, data);
    if (owner !== undefined) fchownSync(fd, owner.uid, owner.gid);
    fchmodSync(fd, mode);
    if (flush) fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Throws UnsafePath unless this is a regular file with a link count of one, because a hard link may lead to another user's file. */
export function mustBePlain(path: string, file: Descriptor | null): Descriptor {
  if (file === null) throw new UnsafePath(`${path} has just disappeared: try again.`);
  if (!file.stat.isFile() || file.stat.nlink !== 1)
    throw new UnsafePath(
      `${path} is not a regular file, or has another hard link (ls -li), so root does not touch it: put a copy in its place.`,
    );
  return file;
}
