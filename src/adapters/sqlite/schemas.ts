import { statSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Layout } from "../../settings/layout.ts";
import { asOwnerOf } from "../machine/as-owner.ts";
import { accountsMigrations } from "./accounts-db/schema.ts";
import { engineMigrations } from "./engine-db/schema.ts";
import { applicationIdOf, schemaVersion } from "./migrate.ts";
import { refusePipes } from "./refuse-pipes.ts";

/** The schema of a database: the version of the file, and the newest that this program knows. */
export type Schema = Readonly<{ path: string; version: number; known: number; isUnreleased: boolean }>;

/** The application ids of databases from before the first release, whose schemas were numbered differently. */
const UNRELEASED: readonly number[] = [0x4749_6e65, 0x4749_6e61];

/** The schemas of the existing databases. Skips unreadable ones, which recovery handles. Changes nothing. */
export function schemasOf({ engineDb, accountsDb }: Pick<Layout, "engineDb" | "accountsDb">): readonly Schema[] {
  const all = [
    { path: engineDb, known: engineMigrations.length },
    { path: accountsDb, known: accountsMigrations.length },
  ];
  return all.flatMap(({ path, known }) => {
    const found = versionOf(path);
    return found === null ? [] : [{ path, known, ...found }];
  });
}

/** Why this program cannot use these databases, in one sentence: another version wrote them. Null: it can. */
export function unusableSchema(schemas: readonly Schema[]): string | null {
  const unusable = schemas.find(({ version, known, isUnreleased: isOld }) => isOld || version > known);
  return unusable === undefined ? null : writtenByOther(unusable);
}

export function isUnreleased(applicationId: number): boolean {
  return UNRELEASED.includes(applicationId);
}

function writtenByOther({ path, version, known, isUnreleased: isOld }: Schema): string {
  if (isOld) {
    const all = dirname(dirname(path));
    return `${path} was written by a version before the first release, which no released one reads; move ${all} away and start again: mail stays, accounts and settings of the dashboard must be added again.`;
  }
  const versions = `its schema is ${version}, this program knows ${known}`;
  return `${path} was written by a newer GhostInbox (${versions}); install that version, or take its upgrade back with \`rollback\`.`;
}

/** Opens a database of any schema for reading, as the owner of its directory. Throws SQLite's error. */
export function openAnySchema(path: string): DatabaseSync {
  return asOwnerOf(dirname(path), () => {
    refusePipes(path);
    const db = new DatabaseSync(path, { readOnly: true });
    // The first query opens the files beside it.
    schemaVersion(db);
    return db;
  });
}

/** The file's own header may be older than its write-ahead log, so SQLite is asked. */
function versionOf(path: string): Pick<Schema, "version" | "isUnreleased"> | null {
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) === 0) return null;
  try {
    using db = openAnySchema(path);
    return { version: schemaVersion(db), isUnreleased: isUnreleased(applicationIdOf(db)) };
  } catch {
    return null;
  }
}
