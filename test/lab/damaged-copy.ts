import { cpSync, globSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";

/** Copies a restic repository and truncates its largest pack. Returns its path. */
export function damagedCopy(repository: string, copy: string): string {
  cpSync(repository, copy, { recursive: true });
  const pack = globSync("data/*/*", { cwd: copy })
    .map((path) => join(copy, path))
    .toSorted((a, b) => statSync(b).size - statSync(a).size)[0];
  truncateSync(pack ?? "", 100);
  return copy;
}
