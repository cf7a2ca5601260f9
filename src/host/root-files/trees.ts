import { realpathSync, type Stats } from "node:fs";
import { basename, dirname, join } from "node:path";
import { codeOf } from "../../core/error.ts";
import { type Descriptor, Directory, explained, type Owner, ourselves, ownUid } from "./directory.ts";
import type { Access } from "./replace.ts";
import { DEEPEST, walk } from "./walk.ts";

/** Makes the directory and its missing parents. Existing ones keep their owner and mode. */
export function makeDirectory(path: string, mode: number): void {
  explained(path, () => openOrMake(path, mode)[Symbol.dispose]());
}

/**
 * Makes a directory that a program may safely fill by its path, because no other user can replace it or a directory above it. Returns
 * its real path; null if the name is taken. Throws UnsafePath.
 */
export function makeOwnDirectory(path: string, mode: number): string | null {
  return explained(path, () => {
    const parent = realpathSync(dirname(path));
    for (let above = parent; ; above = dirname(above)) {
      using held = Directory.open(above);
      held.mustKeepNames();
      if (above === "/") break;
    }
    using held = Directory.open(parent);
    return held.makeDirectory(basename(path), mode) ? join(parent, basename(path)) : null;
  });
}

function openOrMake(path: string, mode: number): Directory {
  try {
    return Directory.open(path);
  } catch (error) {
    if (codeOf(error) !== "ENOENT" || dirname(path) === path) throw error;
  }
  using parent = openOrMake(dirname(path), mode);
  const isNew = parent.makeDirectory(basename(path), mode);
  const made = parent.enter(basename(path));
  if (isNew) made.setMode(mode);
  return made;
}

/** Entries of a tree that were skipped because they belong to another user: how many, and the first one. */
export type Skipped = { count: number; first: string | null };

/**
 * Makes a directory if it is missing, and sets owner and mode. With `tree`, gives everything below it that belonged to the
 * previous owner to the new one, but nothing else: programs of that user could have put other users' files there.
 */
export function giveDirectory(path: string, access: Required<Access>, tree = false): Skipped {
  return explained(path, () => {
    const { mode, owner } = access;
    using parent = Directory.open(dirname(path));
    // Files that stay root's may be anywhere. Files that are or were another user's must be where no third user can have
    // put them.
    if (owner.uid !== ownUid()) parent.mustBeOwn();
    makeDirectory(path, 0o700);
    using top = Directory.open(path);
    const { uid, gid } = top.stat;
    if (uid !== ownUid()) parent.mustBeOwn();
    const skipped = tree && (uid !== owner.uid || gid !== owner.gid) ? giveTree(top, owner) : { count: 0, first: null };
    // Last, so that a killed start repeats it.
    top.give(owner);
    top.setMode(mode);
    return skipped;
  });
}

/** Makes a directory if it is missing, and allows only us to enter it, even if it existed. */
export function makePrivateDirectory(path: string): void {
  giveDirectory(path, { mode: 0o700, owner: ourselves() });
}

/**
 * Gives a file with several names only if all of them are in the tree (Dovecot copies mails that way), because a name outside
 * may belong to another user.
 */
function giveTree(top: Directory, owner: Owner): Skipped {
  const names = new Map<string, number>();
  const skipped: Skipped = { count: 0, first: null };
  const noteSkipped = (path: string): false => {
    skipped.first ??= path;
    skipped.count += 1;
    return false;
  };
  const mayGive = ({ dev, uid }: Stats): boolean => dev === top.stat.dev && (uid === top.stat.uid || uid === owner.uid);
  walk(top, (entry, path, depth) => {
    const { stat } = entry;
    // A compromised program could have made such a tree, which must not keep the server from starting.
    if (depth === DEEPEST || !mayGive(stat) || stat.isBlockDevice() || stat.isCharacterDevice())
      return noteSkipped(path);
    if (!stat.isDirectory() && stat.nlink > 1) names.set(entry.identity, (names.get(entry.identity) ?? 0) + 1);
    else entry.give(owner);
    return true;
  });
  if (names.size === 0) return skipped;
  walk(top, (entry, path, depth) => {
    const { stat } = entry;
    if (stat.isDirectory()) return mayGive(stat) && depth < DEEPEST;
    if (stat.nlink === 1 || !mayGive(stat)) return false;
    if (names.get(entry.identity) !== stat.nlink) return noteSkipped(path);
    entry.give(owner);
    return false;
  });
  return skipped;
}

/** Gives everything in the tree that belongs to these users or groups to root. */
export function takeTree(path: string, users: ReadonlySet<number>, groups: ReadonlySet<number>): void {
  explained(path, () => {
    using top = Directory.own(path);
    const take = (entry: Descriptor): true => {
      const { uid, gid } = entry.stat;
      if (users.has(uid) || groups.has(gid))
        entry.give({ uid: users.has(uid) ? 0 : uid, gid: users.has(uid) || groups.has(gid) ? 0 : gid });
      return true;
    };
    take(top);
    walk(top, take);
  });
}
