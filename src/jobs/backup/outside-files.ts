import { globSync, lstatSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { codeOf } from "../../core/error.ts";
import { plural } from "../../core/text.ts";
import { UnsafePath } from "../../host/root-files/directory.ts";
import { readNamed, writeFile } from "../../host/root-files/files.ts";
import { makeDirectory } from "../../host/root-files/trees.ts";
import { type Layout, USERS } from "../../settings/layout.ts";
import { loadSettings } from "../../settings/load.ts";
import { namedFiles } from "../../settings/schema.ts";

/** Certificates, passwords and lists of accounts are smaller than this (bytes). */
const LARGEST = 16 << 20;

/** The groups whose users read the files that these settings name. */
const READERS = [
  ["alerts.", USERS.guard],
  ["export.", USERS.export],
] as const;

/** Paths outside of the data directory, or in parts of it where a restore writes nothing, or only what it checks. */
const NOT_IN_PLACE = /^(?:\.\.|backup|conf|db|lib|log|mail|private|program|run|spool)\//;

/** Where a copy of the data directory has a file that the settings name: in its place, or below `backup/outside` by its whole path. */
export function storedPlace(file: string, data: string, copy: Layout): string {
  const path = relative(data, file);
  return NOT_IN_PLACE.test(path) ? join(copy.backupOutside, file) : join(copy.data, path);
}

/**
 * Copies files that the settings name, unless they are there already. Skips missing and large ones. Others may not read a copy, because the
 * directory that kept them from the original may be missing after a restore.
 */
export function copyNamedFiles({ data }: Layout, files: readonly string[], copy: Layout): void {
  for (const file of files) {
    const to = storedPlace(file, data, copy);
    const content = isStored(to) ? null : contentOf(file);
    if (content === null) continue;
    makeDirectory(dirname(to), 0o755);
    writeFile(to, content, { mode: statSync(file).mode & 0o770 });
  }
}

/** Finds a file that the server had at `at` and that is not in the copy. */
export function lackingFile(files: readonly string[], { data }: Layout, copy: Layout, at: number): string | undefined {
  return files.find((file) => {
    const found = statSync(file, { throwIfNoEntry: false });
    const wasStored = found?.isFile() === true && found.ctimeMs < at && found.size <= LARGEST;
    return wasStored && !isStored(storedPlace(file, data, copy));
  });
}

/** Whether the copy has the file itself: a link in a copied directory leads to a file of this machine. */
function isStored(copy: string): boolean {
  return lstatSync(copy, { throwIfNoEntry: false })?.isFile() === true;
}

function contentOf(file: string): Buffer | null {
  try {
    return readNamed(file, LARGEST);
  } catch (error) {
    if (error instanceof UnsafePath || codeOf(error) === "ENOENT") return null;
    throw error;
  }
}

/** The restored files that are missing in their place, or have different content there. */
export function misplacedFiles({ backupOutside: from }: Layout): readonly string[] {
  const restored = globSync("**", { cwd: from, withFileTypes: true }).filter((entry) => entry.isFile());
  return restored
    .map(({ parentPath, name }) => join(parentPath, name).slice(from.length))
    .filter((file) => contentOf(file)?.equals(readFileSync(join(from, file))) !== true)
    .toSorted();
}

/** What the owner should do about files that the settings name; empty if all are in place and readable. */
export function outsideText(layout: Layout): string {
  const files = misplacedFiles(layout);
  const grants = commandsToRead(layout, files).join("; ");
  const reading = grants === "" ? "" : `\nOnce the server has started, let it read its files: ${grants}`;
  if (files.length === 0) return reading;
  const from = layout.backupOutside;
  const isOfCertbot = files.some((file) => file.startsWith("/etc/letsencrypt/"));
  const certbot = isOfCertbot ? "Run certbot again first: it does not renew copies of its files. " : "";
  const are = files.length === 1 ? ["is", "was"] : ["are", "were"];
  return ` ${plural(files.length, "file")} named in the settings ${are[0]} outside the data directory and ${are[1]} not overwritten: ${files.join(", ")}. Their copies from the backup are in ${from}. ${certbot}To copy only those that are missing: cp -rn ${from}/. /${reading}`;
}

/**
 * Commands that let the server read its files: restored ones belong to root and its group. Before the first start, the other groups may not
 * exist. `coming`: missing files that the command before these copies.
 */
function commandsToRead({ settings: file }: Layout, coming: readonly string[]): readonly string[] {
  const loaded = loadSettings(readFileSync(file, "utf8"), {});
  if (!loaded.ok) return [];
  return READERS.flatMap(([keys, group]) => {
    const named = namedFiles(loaded.settings, keys);
    const closed = named.filter((path) => isClosed(path) ?? coming.includes(path)).join(" ");
    return closed === "" ? [] : [`chgrp ${group} ${closed}`, `chmod g+r ${closed}`];
  });
}

/** Null if it is missing. */
function isClosed(file: string): boolean | null {
  const found = statSync(file, { throwIfNoEntry: false });
  return found === undefined ? null : found.gid === 0 && (found.mode & 0o004) === 0;
}
