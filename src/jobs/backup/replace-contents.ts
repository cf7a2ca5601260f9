import { execFileSync } from "node:child_process";
import { existsSync, lstatSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import * as z from "zod/mini";
import { messageOf } from "../../core/error.ts";
import { mountOf, mountsBelow } from "../../host/kernel/mounts.ts";
import { ourselves } from "../../host/root-files/directory.ts";
import { moveFile, removeFile } from "../../host/root-files/files.ts";
import { readStep, writeRecord } from "../../host/root-files/record-file.ts";
import { giveDirectory, makeDirectory } from "../../host/root-files/trees.ts";
import { removeTree } from "../../host/root-files/walk.ts";
import { lockHolder } from "../../host/running/data-directory.ts";
import { SetUpFailure } from "../../host/running/failure.ts";
import { layoutOf } from "../../settings/layout.ts";

/** Used if only the contents of a directory can be replaced. Lies in that directory, so that everything moves within one file system. */
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
  "services-to-stop",
  WORK,
  LOCK,
]);

/**
 * What remains to do once the restored directory is complete. `aside`: where the former one goes, null if it was empty. `keepsKey`: whether
 * the former key of the backups stays in use, and replaces one that was restored.
 */
const exchangeSchema = z.object({ aside: z.nullable(z.string()), keepsKey: z.boolean() });
export type Exchange = z.output<typeof exchangeSchema>;

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
 * Puts the restored directory in place. The present one moves aside with its backups, which follow last. Once started, `finishExchange`
 * completes it, even after a kill. Throws, with everything unchanged, if a directory cannot be moved.
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

/** The same for a replacement of the contents. */
export function isReplacing(data: string): boolean {
  return existsSync(stateFile(join(data, WORK)));
}

/** Finishes a killed exchange. Returns false if there was none. Throws if something else has taken the place since. */
export function finishExchange(data: string): boolean {
  const what = readStep(recordOf(data), exchangeSchema);
  if (what === null) return false;
  if (existsSync(wholeBeside(data))) {
    makePlace(data, what.aside);
    moveFile(wholeBeside(data), data);
  }
  settle(data, what.aside, what.keepsKey);
  removeFile(recordOf(data));
  return true;
}

/** The last step of both ways: moves the former backups, and their key if it stays in use, back from `former`. Can be repeated. */
function settle(data: string, former: string | null, keepsKey: boolean): void {
  giveDirectory(data, { mode: 0o755, owner: ourselves() });
  if (former === null) return;
  const [now, before] = [layoutOf(data), layoutOf(former)];
  if (keepsKey && existsSync(before.backupKey)) moveFile(before.backupKey, now.backupKey);
  if (existsSync(before.backupRepository)) moveFile(before.backupRepository, now.backupRepository);
}

function makePlace(data: string, aside: string | null): void {
  if (isEmptyData(data)) {
    removeTree(data);
  } else if (aside !== null && !existsSync(aside)) {
    moveFile(data, aside);
  } else {
    const former = aside === null ? "" : `, and ${aside} the former data`;
    throw new SetUpFailure(
      `A restore was interrupted, and ${data} now holds other files: move them away. ${wholeBeside(data)} holds what was restored${former}.`,
    );
  }
}

function recordOf(data: string): string {
  return `${data}.restoring-step`;
}

const STAYS: ReadonlySet<string> = new Set([WORK, LOCK, "lost+found"]);

/**
 * `out`: the present contents move aside. `in`: the restored contents move to their place, and the backups follow. `keepsKey`: as in an
 * exchange; missing for a mount, which holds no backups. `mounts`: mount points within it, whose contents are moved instead.
 */
const stateSchema = z.object({
  step: z.enum(["out", "in"]),
  aside: z.nullable(z.string()),
  keepsKey: z.optional(z.boolean()),
  mounts: z.optional(z.readonly(z.array(z.string()))),
});
type State = z.output<typeof stateSchema>;

/** Whether this directory cannot be replaced, only its contents: a mount point, a link, or a directory with mounts. */
export function isFixed(data: string): boolean {
  const stat = lstatSync(data, { throwIfNoEntry: false });
  if (stat === undefined) return false;
  const path = realpathSync(data);
  const mounts = readFileSync("/proc/self/mountinfo", "utf8");
  return stat.isSymbolicLink() || mountOf(path, mounts)?.point === path || mountsIn(data).length > 0;
}

/** The mount points within it, except those of `run`, which is not restored. */
export function mountsIn(data: string): readonly string[] {
  if (!existsSync(data)) return [];
  const top = realpathSync(data);
  return mountsBelow(top, readFileSync("/proc/self/mountinfo", "utf8"))
    .map((point) => relative(top, point))
    .filter((path) => path !== "run" && !path.startsWith("run/"));
}

/** Prefix of the names of former data directories. */
export const BEFORE = "before-";

/** Where the former contents of a mount are, if those of the data directory are in `aside`. */
export function asideOfMount(aside: string): string {
  return `.${aside}`;
}

/** Held while a restore is running. It is inside a mounted directory, because in a container nothing can be written beside it. */
export function restoreLock(data: string): string {
  return isFixed(data) ? join(data, LOCK) : `${data}.restoring-lock`;
}

/**
 * Called by a start. Completes a restore that was killed while it replaced the data, and removes one that was not ready, including the
 * private keys in it. Returns true if one was completed. Throws SetUpFailure while one is running.
 */
export function finishRestore(data: string): boolean {
  const other = lockHolder(restoreLock(data));
  if (other !== null)
    throw new SetUpFailure(`A restore is running in ${data} (pid ${other}): start the server once it has finished.`);
  if (finishExchange(data)) return true;
  // A restored directory that was not ready is useless.
  if (!isExchanging(data)) removeTree(wholeBeside(data));
  return finishReplacing(data);
}

/** Where the replacements are prepared. */
export function wholeIn(data: string): string {
  return join(data, WORK, "whole");
}

/**
 * Replaces the contents of the directory by those of `wholeIn(data)`, and those of each mount by its `wholeIn`. The former ones, except the
 * backups, move to the name `aside` in the directory, or are deleted if it is null.
 * Once started, `finishReplacing` completes it, even after a kill. Throws, with everything unchanged, if something there cannot be moved.
 */
export function replaceContents(data: string, what: Exchange, mounts: readonly string[] = []): void {
  keepState(data, { step: "out", ...what, mounts });
  finishReplacing(data);
}

/** Completes a killed replacement; false if there was none. Drops one that had not started. */
export function finishReplacing(data: string): boolean {
  const work = join(data, WORK);
  if (!existsSync(work)) return false;
  const state = readStep(stateFile(work), stateSchema);
  if (state === null) {
    dropWhole(data);
    return false;
  }
  const mounts = new Set(state.mounts);
  if (state.step === "out") {
    moveOut(data, mounts);
    keepState(data, { ...state, step: "in" });
  }
  const gone = [...mounts].find((mount) => !mountsIn(data).includes(mount));
  if (gone !== undefined)
    throw new SetUpFailure(`A restore was interrupted, and ${join(data, gone)} was a mount then: mount it again.`);
  for (const mount of mounts) replaceMount(join(data, mount), state.aside);
  // Once the state below is removed, nothing says that the mounts are unfinished, and its removal may reach its disk first.
  if (mounts.size > 0) execFileSync("sync", ["-f", ...[...mounts].map((mount) => join(data, mount))]);
  for (const path of movable(wholeIn(data), mounts)) moveFile(join(wholeIn(data), path), join(data, path));
  const old = join(work, "old");
  if (state.keepsKey !== undefined) settle(data, old, state.keepsKey);
  if (state.aside !== null && existsSync(old)) moveFile(old, join(data, state.aside));
  // Removed before the state: restored contents without a state look like a replacement that has not started.
  removeTree(wholeIn(data));
  removeTree(work);
  return true;
}

/** Replaces the contents of a mount. Does nothing if that is done, because the restored contents have left its work directory then. */
function replaceMount(mount: string, aside: string | null): void {
  if (existsSync(wholeIn(mount)) && !isReplacing(mount))
    keepState(mount, { step: "out", aside: aside === null ? null : asideOfMount(aside) });
  finishReplacing(mount);
}

/** Removes the preparations for a replacement that has not started. */
export function dropWhole(data: string): void {
  if (isReplacing(data)) return;
  for (const mount of mountsIn(data)) removeTree(join(data, mount, WORK));
  removeTree(join(data, WORK));
}

function moveOut(data: string, mounts: ReadonlySet<string>): void {
  const old = join(data, WORK, "old");
  // `restore --replace` reads the former databases as their owners.
  makeDirectory(old, 0o711);
  try {
    for (const path of movable(data, mounts)) {
      makeDirectory(dirname(join(old, path)), 0o700);
      moveFile(join(data, path), join(old, path));
    }
  } catch (error) {
    for (const path of movable(old, mounts)) moveFile(join(old, path), join(data, path));
    removeFile(stateFile(join(data, WORK)));
    throw new Error(`what is in ${data} cannot be moved aside: ${messageOf(error)}`, { cause: error });
  }
}

/** The paths that are moved as a whole: names that neither are mounts nor contain one, and such names in directories that do. */
function movable(top: string, mounts: ReadonlySet<string>, below = ""): readonly string[] {
  const directory = join(top, below);
  return (existsSync(directory) ? readdirSync(directory) : []).flatMap((name) => {
    const path = join(below, name);
    if (mounts.has(path) || (below === "" && STAYS.has(name))) return [];
    return [...mounts].some((mount) => mount.startsWith(`${path}/`)) ? movable(top, mounts, path) : [path];
  });
}

function keepState(data: string, state: State): void {
  writeRecord(stateFile(join(data, WORK)), state);
}

function stateFile(work: string): string {
  return join(work, "step.json");
}
