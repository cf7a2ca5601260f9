import type { DatabaseSync } from "node:sqlite";
import { integer } from "./columns.ts";

/** The schema version of a file: how many migrations it has had. */
export function schemaVersion(db: DatabaseSync): number {
  return integer(db.prepare("PRAGMA user_version").get()?.["user_version"]);
}

/** SQL, or a function for what SQL cannot do. */
export type Migration = string | ((db: DatabaseSync) => void);

export function applyMigration(db: DatabaseSync, step: Migration): void {
  if (typeof step === "string") db.exec(step);
  else step(db);
}

/**
 * Brings the schema up to date, one transaction per version, so that a crash leaves a complete older version; a new file in one
 * transaction, so that a crash leaves none that looks old. The caller has checked that the file is not newer than `migrations`.
 * Throws if the file cannot be written.
 */
export function migrate(db: DatabaseSync, migrations: readonly Migration[], applicationId: number): void {
  let version = schemaVersion(db);
  while (version < migrations.length) {
    const steps = version === 0 ? migrations : migrations.slice(version, version + 1);
    db.exec("BEGIN IMMEDIATE");
    try {
      for (const step of steps) applyMigration(db, step);
      version += steps.length;
      db.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${version}; COMMIT`);
    } catch (error) {
      if (db.isTransaction) db.exec("ROLLBACK");
      throw error;
    }
  }
}
