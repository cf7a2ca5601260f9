import { globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { codeOf } from "../../core/error.ts";
import { plural } from "../../core/text.ts";
import { UnsafePath } from "../../host/root-files/directory.ts";
import { readNamed, writeFile } from "../../host/root-files/files.ts";
import { makeDirectory } from "../../host/root-files/trees.ts";
import type { Layout } from "../../settings/layout.ts";

/** Certificates, passwords and lists of accounts are smaller than this (bytes). */
const LARGEST = 16 << 20;

/** Copies files that settings name and that are outside of the data directory, each below its whole path. Skips missing ones. */
export function copyOutsideFiles({ data }: Layout, files: readonly string[], to: string): void {
  for (const file of files) {
    const isWithin = `${file}/`.startsWith(`${data}/`);
    const content = isWithin ? null : contentOf(file);
    if (content === null) continue;
    makeDirectory(dirname(join(to, file)), 0o755);
    writeFile(join(to, file), content, { mode: 0o600 });
  }
}

function contentOf(file: string): Buffer | null {
  try {
    return readNamed(file, LARGEST);
  } catch (error) {
    if (error instanceof UnsafePath || codeOf(error) === "ENOENT") return null;
    throw error;
  }
}

/** The restored files that are not in their place: missing there, or with different content. */
export function misplacedFiles({ backupOutside: from }: Layout): readonly string[] {
  const restored = globSync("**", { cwd: from, withFileTypes: true }).filter((entry) => entry.isFile());
  return restored
    .map(({ parentPath, name }) => join(parentPath, name).slice(from.length))
    .filter((file) => contentOf(file)?.equals(readFileSync(join(from, file))) !== true)
    .toSorted();
}

/** What the owner should do about them; empty if all are in place. */
export function outsideText(layout: Layout): string {
  const files = misplacedFiles(layout);
  if (files.length === 0) return "";
  const from = layout.backupOutside;
  const are = files.length === 1 ? ["is", "was"] : ["are", "were"];
  return ` ${plural(files.length, "file")} named in the settings ${are[0]} outside the data directory and ${are[1]} not overwritten: ${files.join(", ")}. Their copies from the backup are in ${from}. To copy only those that are missing: cp -rn ${from}/. /`;
}
