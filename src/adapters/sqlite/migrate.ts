import type { DatabaseSync } from "node:sqlite";
import { integer } from "./columns.ts";

/** The version that a file carries: how many migrations it has seen. */
export function schemaVersion(db: DatabaseSync): number {
  return integer(db.prepare("PRAGMA user_version").get()?.["user_version"]);
}

/** SQL, or what SQL cannot do. */
export type Migration = string | ((db: DatabaseSync) => void);

export function applyMigration(db: DatabaseSync, step: Migration): void {
  if (typeof step === "string") db.exec(step);
  else step(db);
}

/**
 * Brings the schema up to date, one transaction a version, so that a crash leaves a whole older version.
 * The file is known not to be newer than `migrations`. Throws when the file cannot be written.
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
