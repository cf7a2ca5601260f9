import type { DatabaseSync } from "node:sqlite";
import { integer } from "./columns.ts";

/** The schema version of a file: how many migrations it has had. */
export function schemaVersion(db: DatabaseSync): number {
  return integer(db.prepare("PRAGMA user_version").get()?.["user_version"]);
}

/** The application id of the file; 0 for a new file. */
export function applicationIdOf(db: DatabaseSync): number {
  return integer(db.prepare("PRAGMA application_id").get()?.["application_id"]);
}

/**
 * Brings the schema up to date. The first migration creates it; each further one changes that of the version before. One
 * transaction per version, so that a crash leaves a complete older version; a new file in one transaction, so that a crash
 * leaves none that looks old. The caller has checked that the file is not newer than `migrations`. Throws if the file cannot
 * be written.
 */
export function migrate(db: DatabaseSync, migrations: readonly string[], applicationId: number): void {
  let version = schemaVersion(db);
  while (version < migrations.length) {
    const steps = version === 0 ? migrations : migrations.slice(version, version + 1);
    db.exec("BEGIN IMMEDIATE");
    try {
      for (const step of steps) db.exec(step);
      version += steps.length;
      db.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${version}; COMMIT`);
    } catch (error) {
      if (db.isTransaction) db.exec("ROLLBACK");
      throw error;
    }
  }
}
