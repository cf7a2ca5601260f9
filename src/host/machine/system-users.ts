import { readFileSync, statSync } from "node:fs";

/** Throws if passwd(5) has no such user, because set-up adds the required ones earlier. */
export function userIds(name: string): Readonly<{ uid: number; gid: number }> {
  const [, , uid, gid] = mustFindEntry("/etc/passwd", name);
  return { uid: Number(uid), gid: Number(gid) };
}

export function hasUser(name: string): boolean {
  return findEntry("/etc/passwd", name) !== null;
}

export function groupId(name: string): number {
  return Number(mustFindEntry("/etc/group", name)[2]);
}

export function hasGroup(name: string): boolean {
  return findEntry("/etc/group", name) !== null;
}

/** Reads group(5), so it ignores a user's own group, which only passwd(5) names. */
export function isMember(user: string, group: string): boolean {
  return findEntry("/etc/group", group)?.[3]?.split(",").includes(user) === true;
}

/**
 * Runs `work` as the owner of a directory, so that a link there gains the owner nothing. SQLite opens and creates files next to
 * a database by name, even for a reader. Only root can do this, and only in the main thread.
 */
export function asOwnerOf<T>(directory: string, work: () => T): T {
  const { setegid, seteuid, getgroups, setgroups } = process;
  if (process.geteuid?.() !== 0 || !setegid || !seteuid || !getgroups || !setgroups) return work();
  const { uid, gid } = statSync(directory);
  const groups = getgroups();
  // Root's groups may open files that the owner's groups may not.
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

function mustFindEntry(file: string, name: string): readonly string[] {
  const found = findEntry(file, name);
  if (found === null) throw new Error(`${name} is missing in ${file}`);
  return found;
}

/** The fields of the line for this name. */
function findEntry(file: string, name: string): readonly string[] | null {
  const lines = readFileSync(file, "utf8").split("\n");
  return lines.find((line) => line.startsWith(`${name}:`))?.split(":") ?? null;
}
