import type { DatabaseSync } from "node:sqlite";

/** All of it or nothing: in a transaction of its own, or as a part of the one that is open, such as a rehearsal. */
export function together<T>(db: DatabaseSync, write: () => T): T {
  if (db.isTransaction) return write();
  db.exec("BEGIN IMMEDIATE");
  try {
    const written = write();
    db.exec("COMMIT");
    return written;
  } catch (error) {
    // An error of the disk has ended it already.
    if (db.isTransaction) db.exec("ROLLBACK");
    throw error;
  }
}
