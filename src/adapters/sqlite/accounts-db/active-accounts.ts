import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { AccountDirectory } from "../../../engine/ports.ts";

/** Looks accounts up in the same view as Dovecot does at sign-in. */
export class SqliteActiveAccounts implements AccountDirectory {
  readonly #find: StatementSync;

  constructor(db: DatabaseSync) {
    this.#find = db.prepare("SELECT 1 FROM passdb WHERE user = ?");
  }

  isActive(account: string): boolean {
    return this.#find.get(account) !== undefined;
  }
}
