import { statSync } from "node:fs";
import { tmpdir } from "node:os";

/** A directory on another file system than temporary files; null if there is none. Tests may keep theirs in memory. */
export function anotherDisk(): string | null {
  return ["/dev/shm", "/var/tmp"].find((path) => statSync(path).dev !== statSync(tmpdir()).dev) ?? null;
}

export const NO_OTHER_DISK = "/dev/shm and /var/tmp are on the disk of temporary files";
