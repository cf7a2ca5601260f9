import type { DatabaseSync } from "node:sqlite";
import { isoTime } from "../../../core/time.ts";
import { millisOrNull } from "../columns.ts";

/** When the account last signed in, as far as the memory reaches, from addresses that could be banned. Null: it did not. */
export function lastSignIn(engine: DatabaseSync, account: string): string | null {
  const row = engine
    .prepare("SELECT max(last_at) AS at FROM known_address WHERE lower(account) = ?")
    .get(account.toLowerCase());
  const at = millisOrNull(row?.["at"] ?? null);
  return at === null ? null : isoTime(at);
}
