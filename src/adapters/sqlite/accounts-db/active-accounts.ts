import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { AccountName } from "../../../core/net/address.ts";
import type { AccountDirectory, AccountPasswords } from "../../../engine/ports.ts";
import { text } from "../columns.ts";

/** Looks accounts up in the same view as Dovecot does at sign-in. */
export class SqliteActiveAccounts implements AccountDirectory, AccountPasswords {
  readonly #find: StatementSync;

  constructor(db: DatabaseSync) {
    this.#find = db.prepare("SELECT password FROM passdb WHERE user = ?");
  }

  isActive(account: string): boolean {
    return this.#find.get(account) !== undefined;
  }

  passwordHash(account: AccountName): string | null {
    const row = this.#find.get(account);
    return row === undefined ? null : text(row["password"]);
  }
}
