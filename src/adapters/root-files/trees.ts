import type { Stats } from "node:fs";
import { basename, dirname } from "node:path";
import { Directory, type Held, type Owner, ownUid } from "./directory.ts";
import type { Access } from "./replace.ts";
import { codeOf, told } from "./unsafe-path.ts";
import { walk } from "./walk.ts";

/** Makes the directory and those above it, as far as they are missing. What is there keeps its owner and mode. */
export function makeDirectory(path: string, mode: number): void {
  told(path, () => make(path, mode)[Symbol.dispose]());
}

function make(path: string, mode: number): Directory {
  try {
    return Directory.open(path);
  } catch (error) {
    if (codeOf(error) !== "ENOENT" || dirname(path) === path) throw error;
  }
  using parent = make(dirname(path), mode);
  const isNew = parent.makeDirectory(basename(path), mode);
  const made = parent.enter(basename(path));
  if (isNew) made.setMode(mode);
  return made;
}

/** What of a tree was left alone, since it belongs to somebody else: how much, and the first of it. */
export type Kept = { count: number; first: string | null };

/**
 * Makes a directory if it is missing, and gives it owner and mode. With `tree` all below it follows a change of owner,
 * as far as it belonged to the former one: programs of that user could have put files of others there.
 */
export function giveDirectory(path: string, access: Required<Access>, tree = false): Kept {
  return told(path, () => {
    const { mode, owner } = access;
    using parent = Directory.open(dirname(path));
    // What stays root's may lie anywhere; what is given away, or was, only where no other user can have put it.
    if (owner.uid !== ownUid()) parent.mustBeOwn();
    makeDirectory(path, 0o700);
    using top = Directory.open(path);
    const { uid, gid } = top.stat;
    if (uid !== ownUid()) parent.mustBeOwn();
    const kept = tree && (uid !== owner.uid || gid !== owner.gid) ? giveTree(top, owner) : NOTHING_KEPT;
    // Last, so that a start that was killed meanwhile does it again.
    top.give(owner);
    top.setMode(mode);
    return kept;
  });
}

const NOTHING_KEPT: Kept = { count: 0, first: null };

/**
 * A file with several names is given only if all of them lie in the tree (Dovecot copies mails that way): a name
 * outside may be its owner's own.
 */
function giveTree(top: Directory, owner: Owner): Kept {
  const names = new Map<string, number>();
  const kept: Kept = { count: 0, first: null };
  const keep = (path: string): false => {
    kept.first ??= path;
    kept.count += 1;
    return false;
  };
  const mayGive = ({ dev, uid }: Stats): boolean => dev === top.stat.dev && (uid === top.stat.uid || uid === owner.uid);
  walk(top, (entry, path) => {
    const { stat } = entry;
    if (!mayGive(stat) || stat.isBlockDevice() || stat.isCharacterDevice()) return keep(path);
    if (!stat.isDirectory() && stat.nlink > 1) names.set(inode(stat), (names.get(inode(stat)) ?? 0) + 1);
    else entry.give(owner);
    return true;
  });
  if (names.size === 0) return kept;
  walk(top, (entry, path) => {
    const { stat } = entry;
    if (stat.isDirectory()) return mayGive(stat);
    if (stat.nlink === 1 || !mayGive(stat)) return false;
    if (names.get(inode(stat)) !== stat.nlink) return keep(path);
    entry.give(owner);
    return false;
  });
  return kept;
}

/** Gives all in the tree that belongs to one of these users or groups to root and its group. */
export function takeTree(path: string, users: ReadonlySet<number>, groups: ReadonlySet<number>): void {
  told(path, () => {
    using top = Directory.own(path);
    const take = (entry: Held): true => {
      const { uid, gid } = entry.stat;
      if (users.has(uid) || groups.has(gid))
        entry.give({ uid: users.has(uid) ? 0 : uid, gid: users.has(uid) || groups.has(gid) ? 0 : gid });
      return true;
    };
    take(top);
    walk(top, take);
  });
}

function inode({ dev, ino }: Stats): string {
  return `${dev}:${ino}`;
}
