import type { DatabaseSync, SQLInputValue } from "node:sqlite";

/** What prepares statements. */
export type Prepares = Pick<DatabaseSync, "prepare">;

/**
 * The engine's connection, for commands that write directly: `flush` first commits the engine's open transaction.
 * Otherwise a command would report success before its commit, and its change could be lost with the transaction.
 */
export function betweenTransactions(db: DatabaseSync, flush: () => void): Prepares {
  return {
    prepare(sql) {
      const statement = db.prepare(sql);
      const run = statement.run.bind(statement);
      statement.run = (...values: readonly (SQLInputValue | Record<string, SQLInputValue>)[]) => {
        flush();
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as they came: by position, or by name first
        return run(...(values as readonly SQLInputValue[]));
      };
      return statement;
    },
  };
}
