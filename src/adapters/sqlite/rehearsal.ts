import type { DatabaseSync } from "node:sqlite";

/** A rehearsal sees its own writes; no one else ever does. */
export type Rehearse = <T>(work: () => T) => T;

/**
 * Does the work in a transaction that is rolled back as soon as `work` returns, so `work` must not wait before its last write. A
 * rehearsal within another is part of it.
 */
export function rehearsalOn(db: DatabaseSync): Rehearse {
  let isRehearsing = false;
  return (work) => {
    if (isRehearsing) return work();
    db.exec("BEGIN IMMEDIATE");
    isRehearsing = true;
    try {
      return work();
    } finally {
      isRehearsing = false;
      // A disk error has already ended it.
      if (db.isTransaction) db.exec("ROLLBACK");
    }
  };
}
