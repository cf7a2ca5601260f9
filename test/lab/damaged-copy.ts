import { cpSync, globSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";

/** A copy of a repository of restic whose largest pack is cut. Returns where it is. */
export function damagedCopy(repository: string, copy: string): string {
  cpSync(repository, copy, { recursive: true });
  const pack = globSync("data/*/*", { cwd: copy })
    .map((path) => join(copy, path))
    .toSorted((a, b) => statSync(b).size - statSync(a).size)[0];
  truncateSync(pack ?? "", 100);
  return copy;
}
