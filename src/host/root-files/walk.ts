import { existsSync, readdirSync, rmdirSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { nullOn } from "../../core/error.ts";
import { type Descriptor, Directory, explained, ownUid, UnsafePath } from "./directory.ts";

/** Much deeper than a Maildir, which has seven levels. Each level holds open descriptors. */
export const DEEPEST = 100;

/** Visits each entry below, a directory before its contents. Descends if `visit` returns true. */
export function walk(
  directory: Directory,
  visit: (entry: Descriptor, path: string, depth: number) => boolean,
  depth = 0,
): void {
  for (const name of directory.names()) {
    const path = join(directory.path, name);
    using held = directory.hold(name);
    if (held === null) continue;
    if (!held.stat.isDirectory()) {
      visit(held, path, depth);
      continue;
    }
    // Something else may have its name by now.
    using inner = nullOn(["ENOTDIR", "ENOENT"], () => directory.enter(name));
    if (inner === null || !visit(inner, path, depth)) continue;
    if (depth === DEEPEST)
      throw new UnsafePath(`${path} lies deeper than ${DEEPEST} directories: move it away and start again.`);
    walk(inner, visit, depth + 1);
  }
}

/** Removes an empty directory; does nothing if it is missing or not empty. */
export function removeEmptyDirectory(path: string): void {
  explained(path, () => {
    using parent = Directory.openIfThere(dirname(path));
    if (parent === null) return;
    parent.mustBeOwn();
    nullOn(["ENOENT", "ENOTEMPTY", "ENOTDIR"], () => rmdirSync(parent.at(basename(path))));
  });
}

/** Removes a tree, if it exists. Removes links, not their targets. */
export function removeTree(path: string): void {
  explained(path, () => {
    using parent = Directory.openIfThere(dirname(path));
    if (parent === null) return;
    using held = parent.hold(basename(path));
    if (held === null) return;
    // As in giveDirectory, files that other users could have put there are not removed by their names.
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

/** The size of all files below, without those that vanish in between. Holds one directory's names at a time: there may be millions. */
export function bytesBelow(top: string): number {
  if (!existsSync(top)) return 0;
  return readdirSync(top, { withFileTypes: true }).reduce((sum, entry) => {
    const path = join(top, entry.name);
    if (entry.isDirectory()) return sum + bytesBelow(path);
    return entry.isFile() ? sum + (statSync(path, { throwIfNoEntry: false })?.size ?? 0) : sum;
  }, 0);
}
