import { DatabaseSync } from "node:sqlite";

/**
 * Ends all sessions of the dashboard in a copy of `accounts.db` that is about to replace it: sessions that were ended since stay ended.
 * Only the caller can open the copy. Throws what SQLite says.
 */
export function dropSessions(path: string): void {
  using db = new DatabaseSync(path);
  db.exec("PRAGMA trusted_schema = OFF; PRAGMA secure_delete = ON");
  db.exec("DELETE FROM session");
}
