import { DatabaseSync } from "node:sqlite";

/**
 * Ends all dashboard sessions in a copy of `accounts.db` that is about to replace it, so that sessions ended since then stay ended.
 * Only the caller can open the copy. Throws SQLite's error.
 */
export function dropSessions(path: string): void {
  using db = new DatabaseSync(path);
  db.exec("PRAGMA trusted_schema = OFF; PRAGMA secure_delete = ON");
  db.exec("DELETE FROM session");
}
