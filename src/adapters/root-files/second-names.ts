import { closeSync, linkSync } from "node:fs";
import type { Directory } from "./directory.ts";
import { codeOf, named, UnsafePath } from "./unsafe-path.ts";

const PROBE = ".probe";
/** Errors of link(2) on file systems without hard links, such as vfat and some FUSE file systems. */
const NO_LINKS: ReadonlySet<unknown> = new Set(["EPERM", "EOPNOTSUPP", "ENOTSUP", "ENOSYS"]);

/**
 * Whether a file in one directory can get a hard link in the other: not across mounts (link(2), EXDEV).
 * Tries it with an empty file, since two mounts of one file system have the same device number. Throws if hard links are not supported.
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
    `Files in ${path} cannot get second names (hard links: ${String(code)}), which a backup gives to mails: move it to a file system that has them, such as ext4 or XFS.`,
  );
}
