import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The version that a package.json tells; null if it tells none, or is not there. */
export function versionIn(directory: string): string | null {
  const path = join(directory, "package.json");
  if (!existsSync(path)) return null;
  return /"version": ?"([^"]+)"/.exec(readFileSync(path, "utf8"))?.[1] ?? null;
}
