import type { DatabaseSync } from "node:sqlite";
import { instant } from "../../../core/time.ts";
import type { Layout } from "../../../settings/layout.ts";
import { moveCredentials } from "../accounts-db/move-credentials.ts";
import { UnusableDatabase } from "../open.ts";
import { openOrRecoverEngine, openOrRestoreAccounts } from "../recovery/recover.ts";
import { newerSchema, schemasOf } from "../schemas.ts";

/** Both databases, open. */
export type Databases = Readonly<{
  engine: DatabaseSync;
  accounts: DatabaseSync;
  /** Why hashes or tokens of an earlier version are still in `engine.db`; null if none is. */
  credentialsLeft: string | null;
}>;

/**
 * Opens, creates and migrates both databases, as the user that owns them. The directories must exist. What is damaged or
 * gone is replaced as far as it can be, and set aside: the guard tells of it as long as it lies there. Throws UnusableDatabase;
 * if a newer program wrote one of them, neither is changed.
 * For set-up: hold the result and leave by `process.exit`, without closing. That leaves `-wal` and `-shm` behind, so
 * Postfix and Dovecot can read the accounts even if the guard never starts.
 */
export function initialise(layout: Layout): Databases {
  const newer = newerSchema(schemasOf(layout));
  if (newer !== null) throw new UnusableDatabase("newer", newer);
  const now = instant(Date.now());
  const opened = { accounts: openOrRestoreAccounts(layout, now), engine: openOrRecoverEngine(layout, now) };
  return { ...opened, credentialsLeft: moveCredentials({ ...opened, engineDb: layout.engineDb }) };
}
