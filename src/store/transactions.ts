import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import type { Rehearsal } from "../guard/commands/record-first.ts";

/** Runs `write` atomically: in a separate transaction, or as part of the open one, such as a rehearsal. */
export function together<T>(db: DatabaseSync, write: () => T): T {
  if (db.isTransaction) return write();
  db.exec("BEGIN IMMEDIATE");
  try {
    const written = write();
    db.exec("COMMIT");
    return written;
  } catch (error) {
    // A disk error may already have ended the transaction.
    if (db.isTransaction) db.exec("ROLLBACK");
    throw error;
  }
}

export type Prepares = Pick<DatabaseSync, "prepare">;
export type Prepared<S> = Readonly<Record<keyof S, StatementSync>>;

export function prepared<S extends Readonly<Record<string, string>>>(db: Prepares, statements: S): Prepared<S> {
  const entries = Object.entries(statements).map(([name, sql]) => [name, db.prepare(sql)]);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- one for each of the same names
  return Object.fromEntries(entries) as Prepared<S>;
}

/**
 * The engine's connection, for commands that write directly. Each first commits the engine's open transaction.
 * Otherwise a command would report success before its commit, and its change could be lost with the transaction.
 */
export function betweenTransactions(db: DatabaseSync, commit: () => void): Prepares {
  return {
    prepare(sql) {
      const statement = db.prepare(sql);
      const run = statement.run.bind(statement);
      statement.run = (...values: readonly (SQLInputValue | Record<string, SQLInputValue>)[]) => {
        commit();
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as they came: by position, or by name first
        return run(...(values as readonly SQLInputValue[]));
      };
      return statement;
    },
  };
}

/**
 * Does the work in a transaction that is rolled back as soon as `work` returns, so `work` must not wait before its last write, and no one
 * else ever sees one. A nested rehearsal is part of the outer one.
 */
export function rehearsalOn(db: DatabaseSync): Rehearsal["rehearse"] {
  let isRehearsing = false;
  return (work) => {
    if (isRehearsing) return work();
    db.exec("BEGIN IMMEDIATE");
    isRehearsing = true;
    try {
      return work();
    } finally {
      isRehearsing = false;
      // A disk error may already have ended the transaction.
      if (db.isTransaction) db.exec("ROLLBACK");
    }
  };
}
