import type { DatabaseSync, StatementSync } from "node:sqlite";
import { NotedUses } from "../accounts-db/noted-uses.ts";
import { text } from "../columns.ts";

/** An address of this server, and the accounts that may send as it, separated by commas. */
export type SenderLogin = Readonly<{ address: string; logins: string }>;

/** The view with which Postfix restricts the envelope senders of accounts. */
export class SqliteSenderLogins {
  readonly #all: StatementSync;
  readonly #accounts: DatabaseSync;
  readonly #uses: NotedUses;

  constructor(accounts: DatabaseSync, uses = new NotedUses()) {
    this.#accounts = accounts;
    this.#uses = uses;
    this.#all = accounts.prepare("SELECT address, logins FROM sender_login ORDER BY address");
  }

  all(): readonly SenderLogin[] {
    return this.#all.all().map((row) => ({ address: text(row["address"]), logins: text(row["logins"]) }));
  }

  /** Grows with each row that the writer of this database changes, except for notes of uses. */
  changes(): number {
    return this.#uses.changes(this.#accounts);
  }
}
