import { DatabaseSync } from "node:sqlite";

/**
 * Ends all sessions of the dashboard in a copy of `accounts.db` that is about to take its place: whoever was signed out since stays out.
 * The copy may have any schema, and only the caller can open it. Throws what SQLite says.
 */
export function dropSessions(path: string): void {
  using db = new DatabaseSync(path);
  db.exec("PRAGMA trusted_schema = OFF; PRAGMA secure_delete = ON");
  const table = db.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'session'").get();
  if (table !== undefined) db.exec("DELETE FROM session");
}
