import { rmdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { Directory, type Held, ownUid } from "./directory.ts";
import { codeOf, explained, UnsafePath } from "./unsafe-path.ts";

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
