import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/** The paths of all files below. Links are not followed. */
export function filesBelow(top: string): readonly string[] {
  if (!existsSync(top)) return [];
  return readdirSync(top, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
}

/** The size of all files below. Files that vanish in between are not counted. */
export function bytesBelow(top: string): number {
  return filesBelow(top).reduce((sum, path) => sum + (statSync(path, { throwIfNoEntry: false })?.size ?? 0), 0);
}
