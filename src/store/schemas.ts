import { realpathSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { readOr } from "../core/error.ts";
import { asOwnerOf } from "../host/machine/system-users.ts";
import type { Layout } from "../settings/layout.ts";
import { accountsMigrations } from "./accounts-db/schema.ts";
import { integer } from "./columns.ts";
import { engineMigrations } from "./engine-db/schema.ts";
import { together } from "./transactions.ts";

/** The schema version of a file: how many migrations it has had. */
export function schemaVersion(db: DatabaseSync): number {
  return integer(db.prepare("PRAGMA user_version").get()?.["user_version"]);
}

/** The application id of the file; 0 for a new file. */
export function applicationIdOf(db: DatabaseSync): number {
  return integer(db.prepare("PRAGMA application_id").get()?.["application_id"]);
}

/**
 * Brings the schema up to date. The first migration creates it; each later one changes the schema of the version before.
 * Each version is a transaction, so a crash leaves a complete older version. A new file is made in one transaction, so a
 * crash leaves no file that looks old. The caller has checked that the file is not newer than `migrations`. Throws if the
 * file cannot be written.
 */
export function migrate(db: DatabaseSync, migrations: readonly string[], applicationId: number): void {
  let version = schemaVersion(db);
  while (version < migrations.length) {
    const steps = version === 0 ? migrations : migrations.slice(version, version + 1);
    version += steps.length;
    together(db, () => {
      for (const step of steps) db.exec(step);
      db.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${version}`);
    });
  }
}

/** The schema of a database: the version of the file, and the newest that this program knows. */
export type Schema = Readonly<{ path: string; version: number; known: number }>;

/** The schemas of the existing databases. Skips unreadable ones, which recovery handles. Changes nothing. */
export function schemasOf({ engineDb, accountsDb }: Pick<Layout, "engineDb" | "accountsDb">): readonly Schema[] {
  const all = [
    { path: engineDb, known: engineMigrations.length },
    { path: accountsDb, known: accountsMigrations.length },
  ];
  return all.flatMap(({ path, known }) => {
    const version = versionOf(path);
    return version === null ? [] : [{ path, known, version }];
  });
}

/** Says in one sentence that this program cannot use these databases, because a newer version wrote them. Null if it can. */
export function unusableSchema(schemas: readonly Schema[]): string | null {
  const unusable = schemas.find(({ version, known }) => version > known);
  if (unusable === undefined) return null;
  const { path, version, known } = unusable;
  const versions = `its schema is ${version}, this program knows ${known}`;
  return `${path} was written by a newer GhostInbox (${versions}); install that version, or undo its upgrade with \`rollback\`.`;
}

/**
 * Opens a database of any schema for reading, as the owner of its directory. Refuses a link, because a later query, run as root,
 * may open a `-wal` that has appeared since, and that must be in the same directory. Throws SQLite's error.
 */
export function openAnySchema(path: string, timeout = 0, as: typeof asOwnerOf = asOwnerOf): DatabaseSync {
  return as(dirname(path), () => {
    refusePipes(path);
    return closedOnError(new DatabaseSync(path, { readOnly: true, timeout }), (db) => {
      // SQLite resolves links once, when it opens the file.
      if (db.location() !== join(realpathSync(dirname(path)), basename(path)))
        throw new Error(`${path} is a link: move the file itself there`);
      // The first query opens the files beside it.
      schemaVersion(db);
      return db;
    });
  });
}

/** Closes the database if `work` throws. Otherwise its files would stay open until garbage collection. */
export function closedOnError<T>(db: DatabaseSync, work: (db: DatabaseSync) => T): T {
  try {
    return work(db);
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Asks SQLite, because the file's header may be older than its write-ahead log. */
function versionOf(path: string): number | null {
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) === 0) return null;
  return readOr(() => {
    using db = openAnySchema(path);
    return schemaVersion(db);
  }, null);
}

const OPENED_BY_NAME = ["", "-wal", "-shm", "-journal"];

/** Throws if SQLite would open anything but a regular file: on a pipe it would wait forever. */
export function refusePipes(database: string): void {
  for (const path of OPENED_BY_NAME.map((end) => `${database}${end}`))
    if (statSync(path, { throwIfNoEntry: false })?.isFile() === false)
      throw new Error(`${path} is not a regular file: move it away`);
}
