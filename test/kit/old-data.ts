import { chownSync, mkdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { accountsMigrations } from "../../src/adapters/sqlite/accounts-db/migrations.ts";
import { engineMigrations } from "../../src/adapters/sqlite/engine-db/migrations.ts";
import { applyMigration, type Migration } from "../../src/adapters/sqlite/migrate.ts";
import type { Layout } from "../../src/settings/layout.ts";

/** Databases that an earlier version wrote (test/fixtures/engine-8), and the schemas that they have. */

const FIXTURE = join(import.meta.dirname, "../fixtures/engine-8");
export const OLD_SCHEMAS = { engine: 8, accounts: 3 } as const;
const MIGRATIONS: Readonly<Record<keyof typeof OLD_SCHEMAS, readonly Migration[]>> = {
  engine: engineMigrations,
  accounts: accountsMigrations,
};

/** Writes one of them to this path, brought to this schema. Tables that are empty then get a row, if they take any. */
export function restoreOld(name: keyof typeof OLD_SCHEMAS, path: string, schema: number = OLD_SCHEMAS[name]): string {
  mkdirSync(dirname(path), { recursive: true });
  using db = new DatabaseSync(path);
  db.exec("PRAGMA synchronous = OFF");
  db.exec(readFileSync(join(FIXTURE, `${name}.sql`), "utf8"));
  db.exec("BEGIN");
  for (const step of MIGRATIONS[name].slice(OLD_SCHEMAS[name], schema)) applyMigration(db, step);
  if (schema > OLD_SCHEMAS[name]) fillEmpty(db);
  db.exec(`PRAGMA user_version = ${schema}; COMMIT`);
  return path;
}

/** They take the place of the databases of a server that is stopped. This account keeps its password. */
export function becomeOld(layout: Layout, account: string): void {
  const now = new DatabaseSync(layout.accountsDb);
  const password = String(now.prepare("SELECT password FROM account WHERE name = ?").get(account)?.["password"]);
  now.close();
  for (const name of ["engine", "accounts"] as const) {
    const path = layout[`${name}Db`];
    const { uid, gid } = statSync(path);
    for (const end of ["", "-wal", "-shm", ".copy", ".digest"]) rmSync(`${path}${end}`, { force: true });
    if (name === "engine") restoreOld(name, path);
    else restoreOldAccounts(path, account, password);
    chownSync(path, uid, gid);
  }
}

/** As `restoreOld`, where the only account has this name and this password, as it is stored. */
export function restoreOldAccounts(path: string, account: string, password: string): void {
  using db = new DatabaseSync(restoreOld("accounts", path));
  db.prepare("UPDATE account SET name = ?, password = ?").run(account, password);
  db.prepare("UPDATE alias SET target = ?").run(account);
}

/** What the fixture's version did not have yet. */
function fillEmpty(db: DatabaseSync): void {
  const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'").all();
  for (const { name } of tables) {
    if (db.prepare(`SELECT 1 FROM ${String(name)} LIMIT 1`).get() !== undefined) continue;
    const columns = db.prepare(`PRAGMA table_info(${String(name)})`).all();
    const values = columns.map(({ type }) => (type === "TEXT" ? "'x'" : type === "BLOB" ? "zeroblob(32)" : "1"));
    db.exec(`INSERT INTO ${String(name)} VALUES (${values.join(", ")})`);
  }
}
