import { statSync } from "node:fs";

/**
 * Opens names in another user's directory as that user, so a link there gains the user nothing. SQLite opens and
 * creates files next to a database by name, even for a reader. Only root can do this, and only in the main thread.
 */
export function asOwnerOf<T>(directory: string, work: () => T): T {
  const { setegid, seteuid, getgroups, setgroups } = process;
  if (process.geteuid?.() !== 0 || !setegid || !seteuid || !getgroups || !setgroups) return work();
  const { uid, gid } = statSync(directory);
  const groups = getgroups();
  // Root's groups could open files that the owner's groups cannot.
  setgroups([gid]);
  setegid(gid);
  seteuid(uid);
  try {
    return work();
  } finally {
    seteuid(0);
    setegid(0);
    setgroups(groups);
  }
}
