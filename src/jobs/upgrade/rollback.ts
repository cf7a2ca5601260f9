import { existsSync, lstatSync, readFileSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import * as z from "zod/mini";
import { compactTime, type Millis } from "../../core/time.ts";
import { mountsBelow } from "../../host/kernel/mounts.ts";
import { copyFile } from "../../host/root-files/copies.ts";
import { moveFile, removeFile, setAccess } from "../../host/root-files/files.ts";
import { readStep, writeRecord } from "../../host/root-files/record-file.ts";
import { giveDirectory, makePrivateDirectory } from "../../host/root-files/trees.ts";
import { removeTree } from "../../host/root-files/walk.ts";
import type { Layout } from "../../settings/layout.ts";
import { dropSessions } from "../../store/accounts-db/copied-accounts.ts";
import { type ChangedSince, changesBetween } from "../../store/changed-since.ts";
import { inSnapshot, noteTakenBack, SET_ASIDE, type UpgradeSnapshot } from "./upgrade-snapshot.ts";

/** Where the present data is moved to. */
const schema = z.object({ aside: z.string() });

/** The databases whose directories are exchanged as a whole, because the log, copy and digest of the database are newer too. */
function exchanged({ engineDb, accountsDb }: Layout): readonly string[] {
  return [engineDb, accountsDb];
}

/** The directories and files that are renamed. */
function moved(layout: Layout): readonly string[] {
  const databases = exchanged(layout).map((database) => dirname(database));
  return [...databases, layout.settings, layout.adoptedScript, layout.firstStartDone];
}

/** Why this snapshot cannot replace the present data; null if it can. `mounts`: `/proc/self/mountinfo`. */
export function whyNoRollback(
  layout: Layout,
  snapshot: UpgradeSnapshot,
  mounts: string = readFileSync("/proc/self/mountinfo", "utf8"),
): string | null {
  const paths = [...exchanged(layout), layout.settings];
  const missing = paths.filter((path) => existsSync(path) && !existsSync(inSnapshot(layout, snapshot, path)));
  if (missing.length > 0)
    return `The snapshot lacks ${missing.map((path) => basename(path)).join(", ")}, which was damaged then.`;
  const fixed = fixedPlace(layout, mounts);
  if (fixed === null) return null;
  return `${fixed} is a separate mount or not on the disk of ${layout.beforeUpgrade}, so a rollback cannot exchange it: unmount it, move what it held to ${fixed}, and try again.`;
}

/** Directories that cannot be renamed into `before-upgrade`: rename(2) fails with EBUSY or EXDEV. */
function fixedPlace(layout: Layout, mounts: string): string | null {
  const top = realpathSync(layout.data);
  const points = mountsBelow(top, mounts);
  const { dev } = statSync(layout.beforeUpgrade);
  const isFixed = (path: string): boolean => {
    const real = join(top, relative(layout.data, path));
    return deviceOf(path) !== dev || points.some((point) => real === point || real.startsWith(`${point}/`));
  };
  const places = [...moved(layout), layout.beforeUpgrade].filter((path) => existsSync(path));
  return places.find(isFixed) ?? null;
}

/** The device of a directory or, for a file, of its directory: on overlayfs, a file reports the device of its layer. */
function deviceOf(path: string): number {
  const found = lstatSync(path);
  return found.isDirectory() ? found.dev : statSync(dirname(path)).dev;
}

/** Changes since the snapshot, which would be lost. Throws SQLite's errors. */
export function changesToLose(layout: Layout, snapshot: UpgradeSnapshot): ChangedSince {
  const copied = (path: string): string => inSnapshot(layout, snapshot, path);
  return changesBetween(layout, { engineDb: copied(layout.engineDb), accountsDb: copied(layout.accountsDb) });
}

/**
 * Replaces the databases and settings in force by those of the snapshot. The replaced ones move into the returned directory. Restores no
 * session of the dashboard. No process of the server may run. Once a rollback has started, the next call or `finishRollback` completes it,
 * even after a kill.
 */
export function rollBack(layout: Layout, snapshot: UpgradeSnapshot, now: Millis): string {
  const started = startedAside(layout);
  // Completes a rollback that had started, or removes the files of one that had not.
  finishRollback(layout);
  if (started !== null) return started;
  const aside = `${SET_ASIDE}${compactTime(now)}`;
  for (const path of exchanged(layout).filter((one) => existsSync(inSnapshot(layout, snapshot, one)))) {
    const place = nextOf(dirname(path));
    const { mode, uid, gid } = statSync(dirname(path));
    makePrivateDirectory(place);
    const copy = join(place, basename(path));
    copyFile(inSnapshot(layout, snapshot, path), copy, 0o640);
    if (path === layout.accountsDb) dropSessions(copy);
    setAccess(copy, { mode: 0o640, owner: { uid, gid } });
    giveDirectory(place, { mode: mode & 0o7777, owner: { uid, gid } });
  }
  const { mode, uid, gid } = statSync(layout.settings);
  copyFile(inSnapshot(layout, snapshot, layout.settings), nextOf(layout.settings), 0o600);
  setAccess(nextOf(layout.settings), { mode: mode & 0o7777, owner: { uid, gid } });
  const script = inSnapshot(layout, snapshot, layout.adoptedScript);
  if (existsSync(script)) copyFile(script, nextOf(layout.adoptedScript), 0o600);
  // An empty record means the same as none.
  else if (existsSync(layout.adoptedScript)) writeRecord(nextOf(layout.adoptedScript), {});
  // The record of the last ADMIN_PASSWORD must match the database's password, so that the next start applies a different one.
  const password = inSnapshot(layout, snapshot, layout.firstStartDone);
  if (existsSync(password)) copyFile(password, nextOf(layout.firstStartDone), 0o600);
  noteTakenBack(layout);
  writeRecord(layout.rollback, { aside });
  finishRollback(layout);
  return join(layout.beforeUpgrade, aside);
}

/** Completes a killed rollback, at a start, too. Returns false if there is none, after removing the files of one that had not started. */
export function finishRollback(layout: Layout): boolean {
  const aside = startedAside(layout);
  if (aside === null) {
    for (const path of moved(layout).map(nextOf)) if (existsSync(path)) removeTree(path);
    return false;
  }
  makePrivateDirectory(aside);
  for (const path of moved(layout)) {
    if (!existsSync(nextOf(path))) continue;
    // If the rollback was killed between the two moves, the first one is done.
    if (existsSync(path)) moveFile(path, join(aside, basename(path)));
    moveFile(nextOf(path), path);
  }
  // Because of this record, a start would refuse an older settings file that sets nothing.
  if (existsSync(layout.settingsInForce)) {
    // The only copy if the settings file was emptied.
    copyFile(layout.settingsInForce, join(aside, "settings-in-force.toml"), 0o600);
    removeFile(layout.settingsInForce);
  }
  removeFile(layout.rollback);
  return true;
}

/** Where a rollback that was interrupted keeps what it replaces; null if there is none. */
export function startedAside(layout: Layout): string | null {
  const started = readStep(layout.rollback, schema);
  return started === null ? null : join(layout.beforeUpgrade, started.aside);
}

/** The replacement of a directory or file, beside it so that it can be renamed. */
function nextOf(path: string): string {
  return `${path}.rollback`;
}
