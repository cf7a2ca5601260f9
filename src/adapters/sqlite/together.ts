import type { DatabaseSync } from "node:sqlite";

/** Runs work atomically: in a separate transaction, or as a part of the open one, such as a rehearsal. */
export function together<T>(db: DatabaseSync, write: () => T): T {
  if (db.isTransaction) return write();
  db.exec("BEGIN IMMEDIATE");
  try {
    const written = write();
    db.exec("COMMIT");
    return written;
  } catch (error) {
    // A disk error has already ended it.
    if (db.isTransaction) db.exec("ROLLBACK");
    throw error;
  }
}
