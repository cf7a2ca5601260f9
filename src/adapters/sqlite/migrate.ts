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
 * Brings the schema up to date, one transaction per version, so that a crash leaves a complete older version. The
 * caller has checked that the file is not newer than `migrations`. Throws if the file cannot be written.
 */
export function migrate(db: DatabaseSync, migrations: readonly Migration[], applicationId: number): void {
  const from = schemaVersion(db);
  for (const [index, step] of migrations.slice(from).entries()) {
    db.exec("BEGIN IMMEDIATE");
    try {
      applyMigration(db, step);
      db.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${from + index + 1}; COMMIT`);
    } catch (error) {
      if (db.isTransaction) db.exec("ROLLBACK");
      throw error;
    }
  }
}
