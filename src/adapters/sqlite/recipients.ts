import type { DatabaseSync, StatementSync } from "node:sqlite";
import { withoutExtension } from "../../core/address.ts";
import type { RecipientDirectory } from "../../engine/ports.ts";

/** Looks recipients up where Postfix does: the mailboxes and aliases of `accounts.db`. */
export class SqliteRecipients implements RecipientDirectory {
  readonly #any: StatementSync;

  constructor(db: DatabaseSync) {
    this.#any = db.prepare(`
      SELECT EXISTS (SELECT 1 FROM mailbox WHERE address = ?1) OR EXISTS (SELECT 1 FROM alias_map WHERE address = ?1) AS found`);
  }

  exists(address: string): boolean {
    return this.#has(address) || this.#has(withoutExtension(address));
  }

  #has(address: string): boolean {
    return this.#any.get(address)?.["found"] === 1;
  }
}
