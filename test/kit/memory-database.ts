import { DatabaseSync, type StatementSync } from "node:sqlite";
import { migrate } from "../../src/store/schemas.ts";

const migrated = new Map<readonly string[], Uint8Array>();

/** A new database in memory with the whole schema. It copies the first one, which takes a thirtieth of the time. */
export function databaseOnMemory(migrations: readonly string[]): DatabaseSync {
  const db = new LazyDatabase(":memory:");
  const copy = migrated.get(migrations);
  if (copy !== undefined) db.deserialize(copy);
  else {
    migrate(db, migrations, 1);
    migrated.set(migrations, db.serialize());
  }
  return db;
}

/** What the stores call of a statement. */
const METHODS = ["all", "get", "iterate", "run", "setAllowUnknownNamedParameters"] as const;

/** Compiles a statement when it is first used: a test uses few of the hundreds of its stores, and to compile all takes longer. */
class LazyDatabase extends DatabaseSync {
  override prepare(sql: string): StatementSync {
    let compiled: StatementSync | undefined;
    const statement = () => (compiled ??= super.prepare(sql));
    const lazy = METHODS.map((name) => {
      const call = (...values: readonly unknown[]): unknown => Reflect.apply(statement()[name], statement(), values);
      return [name, call] as const;
    });
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- another method would throw in the test
    return Object.fromEntries(lazy) as unknown as StatementSync;
  }
}
