import { statSync } from "node:fs";

/**
 * Does what follows names in a directory of another user as that user, who then gains nothing by a link there: SQLite
 * opens, and makes, files beside a database by their names, a reader's too. Only root can, and only the main thread.
 */
export function asOwnerOf<T>(directory: string, work: () => T): T {
  if (process.geteuid?.() !== 0 || process.setegid === undefined || process.seteuid === undefined) return work();
  const { uid, gid } = statSync(directory);
  process.setegid(gid);
  process.seteuid(uid);
  try {
    return work();
  } finally {
    process.seteuid(0);
    process.setegid(0);
  }
}
