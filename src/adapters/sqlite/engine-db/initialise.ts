import type { DatabaseSync } from "node:sqlite";
import { instant } from "../../../core/time.ts";
import type { Layout } from "../../../settings/layout.ts";
import { openOrRecoverEngine, openOrRestoreAccounts } from "../recovery/recover.ts";

/** Both databases, open. */
export type Databases = Readonly<{ engine: DatabaseSync; accounts: DatabaseSync }>;

/**
 * Opens, creates and migrates both databases, as the user that owns them. The directories must exist. What is damaged or
 * gone is replaced as far as it can be, and set aside: the guard tells of it as long as it lies there.
 * For set-up: hold the result and leave by `process.exit`, without closing. That leaves `-wal` and `-shm` behind, so
 * Postfix and Dovecot can read the accounts even if the guard never starts.
 */
export function initialise(layout: Layout): Databases {
  const now = instant(Date.now());
  return { accounts: openOrRestoreAccounts(layout, now), engine: openOrRecoverEngine(layout, now) };
}
