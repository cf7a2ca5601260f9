import { statSync } from "node:fs";

/**
 * Opens names in another user's directory as that user, so a link there gains the user nothing. SQLite opens and
 * creates files beside a database by name, for a reader too. Only root can do this, and only in the main thread.
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
