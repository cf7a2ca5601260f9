import { copyFileSync, existsSync, fsyncSync, openSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { auditedRecovery } from "../../core/audit/audited.ts";
import { instant, type Millis } from "../../core/time.ts";
import { Descriptor } from "../../host/root-files/directory.ts";
import type { Layout } from "../../settings/layout.ts";
import { sqliteAuditChain } from "../events/audit.ts";
import { openAccounts, openEngine, UnusableDatabase } from "../open.ts";
import { schemasOf, unusableSchema } from "../schemas.ts";
import { copyPath, digestPath, removeDatabase, setAside } from "./database-files.ts";
import { salvage } from "./salvage.ts";

export type Databases = Readonly<{ engine: DatabaseSync; accounts: DatabaseSync }>;

/**
 * Opens, creates and migrates both databases, as the user that owns them. The directories must exist. A damaged or missing
 * database is restored as far as possible. A damaged file is set aside, and reported while it exists. Throws
 * UnusableDatabase; if another version wrote one of them, neither is changed.
 * In set-up, hold the result and leave by `process.exit`, without closing. That leaves `-wal` and `-shm` behind, so that
 * Postfix and Dovecot can read the accounts even if the guard never starts.
 */
export function initialise(layout: Layout): Databases {
  const unusable = unusableSchema(schemasOf(layout));
  if (unusable !== null) throw new UnusableDatabase("other_version", unusable);
  const now = instant(Date.now());
  return { accounts: openOrRestoreAccounts(layout, now), engine: openOrRecoverEngine(layout, now) };
}

/** Makes the next start set the database aside, because the start's own check may miss the damage found now. */
export function markDamaged(path: string): void {
  writeFileSync(markOf(path), "", { mode: 0o640 });
}

/**
 * Opens `engine.db`. If it is damaged, sets it aside and starts a new one from its readable part and its digest. If it is
 * gone, starts one from the digest. Throws UnusableDatabase.
 */
export function openOrRecoverEngine({ engineDb: path, firstStartDone }: Layout, now: Millis): DatabaseSync {
  const isGone = isEmpty(path) && existsSync(firstStartDone);
  const opened = isGone || existsSync(markOf(path)) ? null : unlessDamaged(() => openEngine(path));
  if (opened !== null) return opened;
  const fresh = `${path}.new`;
  removeDatabase(fresh);
  const db = openEngine(fresh);
  try {
    // Tables that were read completely need no digest, which may contain an allowed network that was removed since.
    salvage(digestPath(path), db, isGone ? new Set() : salvage(path, db));
    sqliteAuditChain(db)(auditedRecovery(isGone ? "missing" : "damaged", now));
  } finally {
    db.close();
  }
  // Only now, so that an interrupted start has changed nothing.
  putInPlace(path, isGone ? "missing" : "damaged", now);
  return openEngine(path);
}

/**
 * Opens `accounts.db`, or its copy if it is damaged or gone. Without a usable copy nothing is changed, because an empty list of
 * accounts would reject all mail permanently. Throws UnusableDatabase.
 */
export function openOrRestoreAccounts({ accountsDb: path, firstStartDone }: Layout, now: Millis): DatabaseSync {
  const copy = copyPath(path);
  const isGone = isEmpty(path) && existsSync(firstStartDone);
  if (isEmpty(copy)) {
    if (isGone)
      throw new UnusableDatabase(
        "missing",
        `${path} is gone, and there is no copy of it; put a backup there, or remove ${firstStartDone} to start without accounts.`,
      );
    return openAccounts(path);
  }
  const isMarked = existsSync(markOf(path));
  const opened = isGone || isMarked ? null : unlessDamaged(() => openAccounts(path, { ifDamaged: "close" }));
  if (opened !== null) return opened;
  // Copied first, because it may not fit on the disk. Postfix and Dovecot can read most damaged databases, but not a missing one.
  const fresh = `${path}.new`;
  removeDatabase(fresh);
  copyFlushed(copy, fresh);
  let copied: DatabaseSync | null = null;
  try {
    copied = unlessDamaged(() => openAccounts(fresh, { ifDamaged: "close" }));
  } finally {
    if (copied === null) removeDatabase(fresh);
  }
  if (copied === null) {
    // Left open, so that Postfix and Dovecot can still read most of it.
    if (!isGone) unlessDamaged(() => openAccounts(path));
    const fate = isGone ? "is gone" : "is damaged";
    throw new UnusableDatabase("damaged", `${path} ${fate}, and its copy is damaged; restore a backup.`);
  }
  copied.close();
  putInPlace(path, isGone ? "missing" : "damaged", now);
  return openAccounts(path);
}

/** Puts the new database, `.new`, in its place. */
function putInPlace(path: string, fate: "missing" | "damaged", now: Millis): void {
  setAside(path, fate, now);
  renameSync(`${path}.new`, path);
  rmSync(markOf(path), { force: true });
}

/** Flushes the copy, because a later rename may reach the disk before the content does. */
function copyFlushed(from: string, to: string): void {
  copyFileSync(from, to);
  using file = new Descriptor(openSync(to, "r"));
  fsyncSync(file.fd);
}

/** SQLite would start a new database in an empty file. */
export function isEmpty(path: string): boolean {
  return (statSync(path, { throwIfNoEntry: false })?.size ?? 0) === 0;
}

function markOf(path: string): string {
  return `${path}.is-damaged`;
}

function unlessDamaged(open: () => DatabaseSync): DatabaseSync | null {
  try {
    return open();
  } catch (error) {
    if (error instanceof UnusableDatabase && error.code === "damaged") return null;
    throw error;
  }
}
