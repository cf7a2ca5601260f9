import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import type { Contents } from "../../core/incident/incident.ts";
import { text } from "../columns.ts";
import { openAccounts, openAccountsForReading } from "../open.ts";
import { ALL_SET, onOneLine } from "./setting-tables.ts";

/** `shown`: printed instead of the value if that may be a secret. */
const CONTENTS = `
  SELECT 'account ' || name AS what, iif(suspended OR followed IS 'unlisted', 'suspended', 'active') AS value, NULL AS shown
    FROM account
  UNION ALL SELECT 'password of ' || name, password, '(secret)' FROM account
  UNION ALL SELECT 'quota of ' || name, quota_bytes || ' bytes', NULL FROM account WHERE quota_bytes IS NOT NULL
  UNION ALL SELECT what || coalesce(' ' || item, '') || ' of ' || account, is_now, coalesce(shown, 'set') FROM (${ALL_SET})
  UNION ALL SELECT 'alias ' || address, 'to ' || group_concat(target, ' ' ORDER BY target) ||
    iif(address IN (SELECT address FROM alias_block), ', blocked', ''), NULL
    FROM alias GROUP BY address`;

/** Reads a copy that nothing else uses, such as one from a backup. Migrates the copy itself first. */
export function readCopiedAccounts(path: string): Contents {
  // SQLite would create a missing file.
  if (existsSync(path)) openAccounts(path, { ifDamaged: "close" }).close();
  return readAccountContents(path);
}

/** Reads what an `accounts.db` holds, for comparing two of them. Throws if the file cannot be read. */
export function readAccountContents(path: string): Contents {
  using db = openAccountsForReading(path);
  const rows = db.prepare(CONTENTS).all();
  return new Map(
    rows.map(({ what, value, shown }) => [text(what), { value: text(value), shown: onOneLine(text(shown ?? value)) }]),
  );
}

/**
 * Ends all dashboard sessions in a copy of `accounts.db` that is about to replace it, so that sessions that have ended since the copy
 * was made stay ended. Only the caller can open the copy. Throws SQLite's error.
 */
export function dropSessions(path: string): void {
  using db = new DatabaseSync(path);
  db.exec("PRAGMA trusted_schema = OFF; PRAGMA secure_delete = ON");
  db.exec("DELETE FROM session");
}
