import type { DatabaseSync, StatementSync } from "node:sqlite";
import { integer, text } from "../columns.ts";

/** An address of this server, and the accounts that may send as it, separated by commas. */
export type SenderLogin = Readonly<{ address: string; logins: string }>;

/** The view with which Postfix restricts the envelope senders of accounts. */
export class SqliteSenderLogins {
  readonly #all: StatementSync;
  readonly #changes: StatementSync;

  constructor(accounts: DatabaseSync) {
    this.#all = accounts.prepare("SELECT address, logins FROM sender_login ORDER BY address");
    this.#changes = accounts.prepare("SELECT total_changes() AS changes");
  }

  all(): readonly SenderLogin[] {
    return this.#all.all().map((row) => ({ address: text(row["address"]), logins: text(row["logins"]) }));
  }

  /** Grows with each row that the writer of this database changes. */
  changes(): number {
    return integer(this.#changes.get()?.["changes"]);
  }
}
