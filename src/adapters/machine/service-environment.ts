import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * The variables that the running server was started with, from the directory that chpst(8) -e reads: a NUL stands for
 * a line break. Empty while it was never started, and for whoever may not read it.
 */
export function readServiceEnvironment(directory: string): Readonly<Record<string, string>> {
  try {
    const read = (name: string): string => readFileSync(join(directory, name), "utf8").replaceAll("\0", "\n");
    return Object.fromEntries(readdirSync(directory).map((name) => [name, read(name)]));
  } catch {
    return {};
  }
}
