import { existsSync, globSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { copyFile } from "../../adapters/root-files/copies.ts";
import { makeDirectory } from "../../adapters/root-files/trees.ts";
import { plural } from "../../core/text.ts";
import type { Layout } from "../../settings/layout.ts";

/** Certificates, passwords, lists of accounts: larger ones are none of these (bytes). */
const LARGEST = 16 << 20;

/** Copies files that settings name and that lie elsewhere, each below its whole path. One that is not there is left out. */
export function copyOutsideFiles({ data }: Layout, files: readonly string[], to: string): void {
  for (const file of files) {
    const isWithin = `${file}/`.startsWith(`${data}/`);
    const stat = statSync(file, { throwIfNoEntry: false });
    if (isWithin || stat === undefined || !stat.isFile() || stat.size > LARGEST) continue;
    makeDirectory(dirname(join(to, file)), 0o755);
    copyFile(file, join(to, file), 0o600);
  }
}

/** The restored ones that are not where they belong: missing there, or with another content. */
export function misplacedFiles({ backupOutside: from }: Layout): readonly string[] {
  const restored = globSync("**", { cwd: from, withFileTypes: true }).filter((entry) => entry.isFile());
  return restored
    .map(({ parentPath, name }) => join(parentPath, name).slice(from.length))
    .filter((file) => !existsSync(file) || !readFileSync(file).equals(readFileSync(join(from, file))))
    .toSorted();
}

/** What the owner should do about them; empty if they are all in place. */
export function outsideText(layout: Layout): string {
  const files = misplacedFiles(layout);
  if (files.length === 0) return "";
  const from = layout.backupOutside;
  const are = files.length === 1 ? "lies" : "lie";
  return ` ${plural(files.length, "file")} that the settings name ${are} outside of it, and nothing is overwritten there: ${files.join(", ")}. The backup's are in ${from}; where none is, this puts them: cp -rn ${from}/. /`;
}
