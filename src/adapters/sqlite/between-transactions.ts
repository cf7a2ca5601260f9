import type { DatabaseSync, SQLInputValue } from "node:sqlite";

/** What prepares statements. */
export type Prepares = Pick<DatabaseSync, "prepare">;

/**
 * The connection of the engine for what commands write by themselves: `flush` first commits what the engine has open.
 * Else a command would report as done what still waits for a commit, and might be lost with it.
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
