import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * The variables with which the server was started, from the directory that chpst(8) -e reads: a NUL stands for a line
 * break. Empty if the server was never started, or if this user may not read the directory.
 */
export function readServiceEnvironment(directory: string): Readonly<Record<string, string>> {
  try {
    const read = (name: string): string => readFileSync(join(directory, name), "utf8").replaceAll("\0", "\n");
    return Object.fromEntries(readdirSync(directory).map((name) => [name, read(name)]));
  } catch {
    return {};
  }
}
