import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { TestContext } from "node:test";
import { type Layout, layoutOf } from "../../src/settings/layout.ts";
import { accountsApplicationId, accountsMigrations } from "../../src/store/accounts-db/schema.ts";
import { engineApplicationId, engineMigrations } from "../../src/store/engine-db/schema.ts";
import { openAccounts, openEngine } from "../../src/store/open.ts";
import { migrate } from "../../src/store/schemas.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

/** The "next version" does not exist: it is this program with one more migration. */

const DATABASES = {
  engine: { migrations: engineMigrations, id: engineApplicationId },
  accounts: { migrations: accountsMigrations, id: accountsApplicationId },
} as const;
/** The schemas of today. */
const TODAY = { engine: engineMigrations.length, accounts: accountsMigrations.length } as const;
export const OLD_SETTINGS = 'domains = ["example.test"]\n';
const NEXT_MIGRATION = "CREATE TABLE of_next_version (x INTEGER) STRICT";
const CONTENTS = {
  engine: `
    INSERT INTO event (at, type, counts, details, action) VALUES (1, 'BAN', 0, '', '');
    INSERT INTO ban (prefix, first, last, ip, level, code, reason, source, created_at, offences, last_event)
    VALUES ('203.0.113.200/32', x'00', x'00', '203.0.113.200', 'manual', 'manual', '', 'root', 1, 1, 1)`,
  accounts: `
    INSERT INTO account (name, password, created_at) VALUES ('anna@example.test', '{X}x', 1);
    INSERT INTO alias (address, target) VALUES ('info@example.test', 'anna@example.test')`,
};

/** Makes this process run the next version until the test ends. */
export function becomeNextVersion(t: TestContext): void {
  for (const { migrations } of Object.values(DATABASES)) Array.prototype.push.call(migrations, NEXT_MIGRATION);
  t.after(() => {
    for (const { migrations } of Object.values(DATABASES)) Array.prototype.splice.call(migrations, -1, 1);
  });
}

/** Becomes the next version, and writes both databases of a server as this version does. */
export function writeOldDatabases(t: TestContext, { engineDb, accountsDb }: Layout): void {
  becomeNextVersion(t);
  writeToday("engine", engineDb);
  writeToday("accounts", accountsDb);
}

/** Becomes the next version, and makes the data directory of a server of this version. */
export function oldData(t: TestContext): Layout {
  const layout = layoutOf(temporaryDirectory());
  writeOldDatabases(t, layout);
  writeFileSync(layout.settings, OLD_SETTINGS, { mode: 0o640 });
  return layout;
}

/** Opens both databases, which upgrades them. */
export function upgradeDatabases({ engineDb, accountsDb }: Layout): void {
  openEngine(engineDb).close();
  openAccounts(accountsDb).close();
}

/** Writes a database as the version of today does: an event and a ban, or an account and an alias. */
export function writeToday(name: keyof typeof DATABASES, path: string): string {
  const { migrations, id } = DATABASES[name];
  mkdirSync(dirname(path), { recursive: true });
  using db = new DatabaseSync(path);
  migrate(db, migrations.slice(0, TODAY[name]), id);
  db.exec(CONTENTS[name]);
  return path;
}
