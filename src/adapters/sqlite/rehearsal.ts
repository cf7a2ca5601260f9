import type { DatabaseSync } from "node:sqlite";

/** What a rehearsal writes is there for the rest of it, and never for others. */
export type Rehearse = <T>(work: () => T) => T;

/**
 * Does the work in a transaction that is rolled back as soon as `work` returns, so it must not wait before its last write. A
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
      // An error of the disk has ended it already.
      if (db.isTransaction) db.exec("ROLLBACK");
    }
  };
}
