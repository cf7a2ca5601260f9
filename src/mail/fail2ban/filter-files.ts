import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { readNamed } from "../../host/root-files/files.ts";

/** A filter of Fail2ban: its text, and the name of its file without `.conf`, which becomes the jail's name. */
export type Filter = Readonly<{ name: string; text: string }>;

/** Filters of Debian's package; its others are for programs that do not run here. */
export const STOCK_FILTERS: readonly string[] = ["common", "postfix", "dovecot"];
export const STOCK_DIRECTORY = "/etc/fail2ban/filter.d";

const ENDING = ".conf";
const MOST_BYTES = 1024 * 1024;

/** Names of the files of filters in a directory, without `.conf`, sorted; none if the directory does not exist. */
export function filterNames(directory: string): readonly string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .filter((file) => file.endsWith(ENDING))
    .map((file) => file.slice(0, -ENDING.length))
    .toSorted();
}

export function filterFile(directory: string, name: string): string {
  return join(directory, `${name}${ENDING}`);
}

export function readFilter(directory: string, name: string): Filter {
  return { name, text: readNamed(filterFile(directory, name), MOST_BYTES).toString() };
}
