import type { DatabaseSync } from "node:sqlite";
import type { Layout } from "../../../settings/layout.ts";
import { openAccounts, openEngine } from "../open.ts";

/** Both databases, open. */
export type Databases = Readonly<{ engine: DatabaseSync; accounts: DatabaseSync }>;

/**
 * Opens, creates and migrates both databases, as the user that owns them. The directories must exist.
 * For set-up: hold the result and leave by `process.exit`, without closing. That leaves `-wal` and `-shm` behind, so
 * Postfix and Dovecot can read the accounts even if the guard never starts.
 */
export function initialise(layout: Layout): Databases {
  return { accounts: openAccounts(layout.accountsDb), engine: openEngine(layout.engineDb) };
}
