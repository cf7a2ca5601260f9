import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { isJailName } from "../../core/decide/jails.ts";
import { readNamed } from "../../host/root-files/files.ts";
import type { Filter } from "../configuration/site.ts";

const ENDING = ".conf";
const MOST_BYTES = 1024 * 1024;

/** Names of the filters in a directory, sorted; none if the directory does not exist. */
export function filterNames(directory: string): readonly string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .filter((file) => file.endsWith(ENDING))
    .map((file) => file.slice(0, -ENDING.length))
    .filter(isJailName)
    .toSorted();
}

export function readFilter(directory: string, name: string): Filter {
  return { name, text: readNamed(join(directory, `${name}${ENDING}`), MOST_BYTES).toString() };
}
