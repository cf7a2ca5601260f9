import { readFileSync } from "node:fs";

/** Throws if passwd(5) has no such user: set-up adds the required ones earlier. */
export function userIds(name: string): Readonly<{ uid: number; gid: number }> {
  const [, , uid, gid] = databaseLine("/etc/passwd", name);
  return { uid: Number(uid), gid: Number(gid) };
}

export function hasUser(name: string): boolean {
  return findLine("/etc/passwd", name) !== null;
}

export function groupId(name: string): number {
  return Number(databaseLine("/etc/group", name)[2]);
}

export function hasGroup(name: string): boolean {
  return findLine("/etc/group", name) !== null;
}

/** From group(5); ignores a user's own group, which only passwd(5) names. */
export function isMember(user: string, group: string): boolean {
  const [, , , members = ""] = findLine("/etc/group", group)?.split(":") ?? [];
  return members.split(",").includes(user);
}

function databaseLine(file: string, name: string): readonly string[] {
  const line = findLine(file, name);
  if (line === null) throw new Error(`${name} is missing in ${file}`);
  return line.split(":");
}

function findLine(file: string, name: string): string | null {
  const lines = readFileSync(file, "utf8").split("\n");
  return lines.find((entry) => entry.startsWith(`${name}:`)) ?? null;
}
