import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The traces of restic(1) beside its output. */

/** For a repository in a directory of this machine; a remote one may leave some. */
export function hasNoLock(place: string): boolean {
  try {
    return place.startsWith("/") && readdirSync(join(place, "locks")).length === 0;
  } catch {
    return false;
  }
}

/** What a process has written so far (proc(5), wchar); null if it has ended. */
export function writtenBy(pid: number | undefined): number | null {
  try {
    return Number(/^wchar: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, "utf8"))?.[1] ?? 0);
  } catch {
    return null;
  }
}
