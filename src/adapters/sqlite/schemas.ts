import { statSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Layout } from "../../settings/layout.ts";
import { asOwnerOf } from "../machine/as-owner.ts";
import { accountsMigrations } from "./accounts-db/migrations.ts";
import { engineMigrations } from "./engine-db/migrations.ts";
import { schemaVersion } from "./migrate.ts";
import { refusePipes } from "./refuse-pipes.ts";

/** The schema of a database: the version of the file, and the newest that this program knows. */
export type Schema = Readonly<{ path: string; version: number; known: number }>;

/** Of the databases that are there. One that cannot be read is left out: recovery is for those. Changes nothing. */
export function schemasOf({ engineDb, accountsDb }: Pick<Layout, "engineDb" | "accountsDb">): readonly Schema[] {
  const all = [
    { path: engineDb, known: engineMigrations.length },
    { path: accountsDb, known: accountsMigrations.length },
  ];
  return all.flatMap(({ path, known }) => {
    const version = versionOf(path);
    return version === null ? [] : [{ path, version, known }];
  });
}

/** Why this program cannot use these databases, in one sentence: a newer one wrote them. Null: it can. */
export function newerSchema(schemas: readonly Schema[]): string | null {
  const newer = schemas.find(({ version, known }) => version > known);
  return newer === undefined ? null : writtenByNewer(newer);
}

export function writtenByNewer({ path, version, known }: Schema): string {
  const versions = `its schema is ${version}, this program knows ${known}`;
  return `${path} was written by a newer GhostInbox (${versions}); install that version, or take its upgrade back with \`rollback\`.`;
}

/** Opens a database of any schema for reading, as the owner of its directory. Throws what SQLite says. */
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
function versionOf(path: string): number | null {
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) === 0) return null;
  try {
    using db = openAnySchema(path);
    return schemaVersion(db);
  } catch {
    return null;
  }
}
