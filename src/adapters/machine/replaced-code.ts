import { readFileSync } from "node:fs";

/** proc(5), maps: code mapped from a deleted file. Anonymous memory has no file. */
export function replacedIn(pid: number): readonly string[] {
  const maps = textOf(`/proc/${pid}/maps`);
  const gone = [...maps.matchAll(/^\S+ ..x. \S+ \S+ \d+ +(\/\S+) \(deleted\)$/gm)].map(([, file = ""]) => file);
  return [...new Set(gone)].filter((file) => !/^\/(?:memfd:|dev\/|SYSV)/.test(file));
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
