import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { madePassword } from "../../guard/access/secrets.ts";
import type { Failed } from "../../guard/ports.ts";
import { writeFile } from "../../host/root-files/files.ts";
import { makeDirectory, makePrivateDirectory } from "../../host/root-files/trees.ts";
import { removeTree } from "../../host/root-files/walk.ts";
import { lockHolder, releaseLock, takeLock } from "../../host/running/data-directory.ts";
import { startTimeOf } from "../../host/running/read-processes.ts";
import type { Layout } from "../../settings/layout.ts";
import type { Settings } from "../../settings/schema.ts";
import { Restic } from "./restic.ts";

/** Groups of a key's characters: 148 bits. */
const KEY_GROUPS = 6;

/** The place of the backups as shown to people, without the password that an address may contain. */
export function placeOf(layout: Layout, settings: Pick<Settings, "backup.repository">): string {
  const place = settings["backup.repository"];
  return place === "" ? layout.backupRepository : place.replace(/\/\/[^/]*@/, "//…@");
}

/** The repository of the settings, with this machine's key unless another is given. Throws if its credentials cannot be read. */
export function repositoryOf(
  layout: Layout,
  settings: Pick<Settings, "backup.repository" | "backup.environment_file">,
  key?: string,
): Restic {
  const place = settings["backup.repository"];
  return new Restic({
    place: place === "" ? layout.backupRepository : place,
    key: key === undefined ? { file: layout.backupKey } : { text: key },
    cache: layout.backupCache,
    environment: readEnvironment(settings["backup.environment_file"]),
  });
}

/** Runs `work` unless another process uses the repository: one backup, export, restore drill or verification at a time. */
export async function alone<Result>(layout: Layout, work: () => Promise<Result>): Promise<Result | Failed> {
  prepareDirectory(layout);
  const other = takeLock(layout.backupLock);
  if (other !== null)
    return { ok: false, reason: `A backup, restore drill or verification is already running (pid ${other}).` };
  try {
    return await work();
  } finally {
    releaseLock(layout.backupLock);
  }
}

/** An empty line, a comment, or a line of a shell script that gives no value. */
const WITHOUT_VALUE = /^\s*(?:#|$|set\s+[-+]a\b|umask\s|export(?:\s+[A-Za-z_]\w*)+\s*;?\s*$)/;
/** A value in quotes may have a comment or `;` after it, as for a shell. A lone quote is a value. */
const ASSIGNMENT =
  /^\s*(?:export\s+)?([A-Za-z_]\w*)=(?:(["'])(.*?)\2\s*(?:;\s*)?(?:(?<=[\s;])#.*)?|((?!["'].).*?)\s*)$/;

/**
 * `NAME=value` on each line, also as for a shell: after `export`, or in quotes. Throws for any other line, unless it is empty, a comment,
 * or gives no value.
 */
export function readEnvironment(file: string): Readonly<Record<string, string>> {
  if (file === "") return {};
  const lines = readFileSync(file, "utf8").split("\n");
  return Object.fromEntries(
    lines.flatMap((line, at) => {
      if (WITHOUT_VALUE.test(line)) return [];
      const [, name, , quoted, plain = ""] = ASSIGNMENT.exec(line) ?? [];
      if (name === undefined) throw new Error(`line ${at + 1} of ${file} is not NAME=value`);
      return [[name, quoted ?? plain]];
    }),
  );
}

/** Makes the directory, only for root, and at first use the key in it. Call it within `alone`. Returns true if the key is new. */
export function prepareKey(layout: Layout): boolean {
  prepareDirectory(layout);
  if (readKey(layout) !== null) return false;
  writeFile(layout.backupKey, `${madePassword(KEY_GROUPS)}\n`, { mode: 0o600 });
  return true;
}

export function prepareDirectory(layout: Layout): void {
  makeDirectory(dirname(layout.backup), 0o755);
  makePrivateDirectory(layout.backup);
}

/** Null before the first backup. An earlier version left an empty file if the disk was full. */
export function readKey(layout: Layout): string | null {
  return existsSync(layout.backupKey) ? readFileSync(layout.backupKey, "utf8").trim() || null : null;
}

/** The process and its start time (proc(5), starttime): its number may have been reused. */
const SCRATCH = /^restoring-(\d+)-(\d+)$/;

/** Where this process puts a mailbox for Dovecot, whose user may not enter `backup/`. */
export function scratchOf({ data }: Layout): string {
  return join(data, `restoring-${process.pid}-${startTimeOf(process.pid)}`);
}

/** A directory that is never on a disk (tmpfs(5)). */
const MEMORY = "/run";
const KEYS = /^ghostinbox-(?:keys|gpg)\.(\d+)-(\d+)$/;

/** Where this process puts the private keys of an account while Dovecot reads its mail, and gpg's home. */
export function memoryDirectory(of: "keys" | "gpg"): string {
  return join(MEMORY, `ghostinbox-${of}.${process.pid}-${startTimeOf(process.pid)}`);
}

/** Removes keys left by killed restores and exports. */
export function removeLeftOverKeys(): void {
  removeOfTheDead(MEMORY, KEYS);
}

/** Removes files left by killed restores of single mailboxes and by killed restore drills. */
export function removeLeftOver({ data, backupDrill, backupLock }: Layout): void {
  const holder = lockHolder(backupLock);
  if (holder === null || holder === process.pid) removeTree(backupDrill);
  removeOfTheDead(data, SCRATCH);
}

function removeOfTheDead(directory: string, names: RegExp): void {
  for (const name of readdirSync(directory)) {
    const [, pid = "", startTime = ""] = names.exec(name) ?? [];
    if (pid !== "" && startTimeOf(Number(pid)) !== startTime) removeTree(join(directory, name));
  }
}
