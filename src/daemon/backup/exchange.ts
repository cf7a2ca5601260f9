import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod/mini";
import { moveFile, removeFile } from "../../adapters/root-files/files.ts";
import { readRecord, writeRecord } from "../../adapters/root-files/record-file.ts";
import { giveDirectory } from "../../adapters/root-files/trees.ts";
import { removeTree } from "../../adapters/root-files/walk.ts";
import { layoutOf } from "../../settings/layout.ts";
import { SetUpFailure } from "../set-up/failure.ts";

/** Used if only the contents of a directory can be replaced: inside it, so that everything moves within one file system. */
export const WORK = ".restoring";
/** Held while a restore is running in such a directory. */
export const LOCK = ".restoring-lock";
/** What an empty data directory may contain. */
const HARMLESS = new Set([
  "lost+found",
  "run",
  "installed-packages",
  "installed-besides",
  "besides-before",
  WORK,
  LOCK,
]);

/**
 * The remaining steps once the restored directory is complete. `aside`: where the former one goes, null if it was empty. `keepsKey`: the
 * former key of the backups stays in use.
 */
const schema = z.object({ aside: z.nullable(z.string()), keepsKey: z.boolean() });
export type Exchange = z.output<typeof schema>;

/** Where the replacement of the data directory is prepared. */
export function wholeBeside(data: string): string {
  return `${data}.restoring`;
}

/** `mounts`: paths in it on which something is mounted. */
export function isEmptyData(data: string, mounts: readonly string[] = []): boolean {
  if (!existsSync(data)) return true;
  const isEmpty = (path: string): boolean =>
    readdirSync(join(data, path)).every((name) => {
      const inner = join(path, name);
      if (HARMLESS.has(inner) || (mounts.includes(path) && HARMLESS.has(name))) return true;
      return mounts.some((mount) => mount === inner || mount.startsWith(`${inner}/`)) && isEmpty(inner);
    });
  return isEmpty("");
}

/**
 * Gives the restored directory its name. The current one has moved aside, with the backups in it; they follow last. From now on
 * `finishExchange` completes it, even after a kill. Throws, with everything unchanged, if a directory cannot be moved.
 */
export function exchange(data: string, what: Exchange): void {
  writeRecord(recordOf(data), what);
  try {
    finishExchange(data);
  } catch (error) {
    if (existsSync(wholeBeside(data))) {
      if (what.aside !== null && existsSync(what.aside) && !existsSync(data)) moveFile(what.aside, data);
      removeFile(recordOf(data));
    }
    throw error;
  }
}

/** Whether the prepared directory is complete, and must not be deleted. */
export function isExchanging(data: string): boolean {
  return existsSync(recordOf(data));
}

/** Finishes a killed exchange; false if there was none. Throws if the place was taken since. */
export function finishExchange(data: string): boolean {
  const what = readRecord<Exchange | null>(recordOf(data), z.nullable(schema), null);
  if (what === null) return false;
  if (existsSync(wholeBeside(data))) {
    makePlace(data, what.aside);
    moveFile(wholeBeside(data), data);
  }
  giveDirectory(data, { mode: 0o755, owner: { uid: 0, gid: 0 } });
  if (what.aside !== null) {
    const [now, before] = [layoutOf(data), layoutOf(what.aside)];
    if (what.keepsKey && existsSync(before.backupKey)) moveFile(before.backupKey, now.backupKey);
    if (existsSync(before.backupRepository)) moveFile(before.backupRepository, now.backupRepository);
  }
  removeFile(recordOf(data));
  return true;
}

function makePlace(data: string, aside: string | null): void {
  if (isEmptyData(data)) {
    removeTree(data);
  } else if (aside !== null && !existsSync(aside)) {
    moveFile(data, aside);
  } else {
    const former = aside === null ? "" : `, and ${aside} the former data`;
    throw new SetUpFailure(
      `A restore was cut off, and ${data} holds other files since: move them away. ${wholeBeside(data)} holds what was restored${former}.`,
    );
  }
}

function recordOf(data: string): string {
  return `${data}.restoring-step`;
}
