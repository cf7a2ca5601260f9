import { statSync } from "node:fs";
import { tmpdir } from "node:os";

/** A directory on a different file system than temporary files, which may be in memory. Null if there is none. */
export function anotherDisk(): string | null {
  return ["/dev/shm", "/var/tmp"].find((path) => statSync(path).dev !== statSync(tmpdir()).dev) ?? null;
}

export const NO_OTHER_DISK = "/dev/shm and /var/tmp are on the disk of temporary files";
