import type { DatabaseSync } from "node:sqlite";

/** What a rehearsal writes is there for the rest of it, and never for others. */
export type Rehearse = <T>(work: () => T) => T;

/** Does the work in a transaction that is taken back as soon as `work` returns, so it must not wait before its last write. */
export function rehearsalOn(db: DatabaseSync): Rehearse {
  return (work) => {
    db.exec("BEGIN IMMEDIATE");
    try {
      return work();
    } finally {
      // An error of the disk has ended it already.
      if (db.isTransaction) db.exec("ROLLBACK");
    }
  };
}
