import type { DatabaseSync } from "node:sqlite";
import { instant } from "../../../core/time.ts";
import type { Layout } from "../../../settings/layout.ts";
import { UnusableDatabase } from "../open.ts";
import { openOrRecoverEngine, openOrRestoreAccounts } from "../recovery/recover.ts";
import { schemasOf, unusableSchema } from "../schemas.ts";

/** Both databases, open. */
export type Databases = Readonly<{ engine: DatabaseSync; accounts: DatabaseSync }>;

/**
 * Opens, creates and migrates both databases, as the user that owns them. The directories must exist. A damaged or
 * missing one is restored as far as possible; the damaged file is set aside, and reported while it exists. Throws UnusableDatabase;
 * if another version wrote one of them, neither is changed.
 * For set-up: hold the result and leave by `process.exit`, without closing. That leaves `-wal` and `-shm` behind, so
 * Postfix and Dovecot can read the accounts even if the guard never starts.
 */
export function initialise(layout: Layout): Databases {
  const unusable = unusableSchema(schemasOf(layout));
  if (unusable !== null) throw new UnusableDatabase("other_version", unusable);
  const now = instant(Date.now());
  return { accounts: openOrRestoreAccounts(layout, now), engine: openOrRecoverEngine(layout, now) };
}
