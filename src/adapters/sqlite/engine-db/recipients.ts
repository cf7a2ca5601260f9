import type { DatabaseSync, StatementSync } from "node:sqlite";
import { withoutExtension } from "../../../core/net/address.ts";
import type { Clock, RecipientDirectory } from "../../../engine/ports.ts";

/** Recipients that existed a second ago count as existing: Postfix makes its own check and refuses the others. */
const REMEMBERED_MS = 1_000;
const MOST_REMEMBERED = 1_024;

/** Looks recipients up in the same place as Postfix: the mailboxes and aliases of `accounts.db`. */
export class SqliteRecipients implements RecipientDirectory {
  readonly #any: StatementSync;
  readonly #clock: Clock;
  readonly #known = new Set<string>();
  #knownSince = 0;

  constructor(db: DatabaseSync, clock: Clock) {
    this.#clock = clock;
    this.#any = db.prepare(`
      SELECT EXISTS (SELECT 1 FROM mailbox WHERE address = ?1) OR EXISTS (SELECT 1 FROM alias_map WHERE address = ?1) AS found`);
  }

  exists(address: string): boolean {
    const age = this.#clock.now() - this.#knownSince;
    if (age < 0 || age >= REMEMBERED_MS || this.#known.size >= MOST_REMEMBERED) {
      this.#known.clear();
      this.#knownSince = this.#clock.now();
    }
    if (this.#known.has(address)) return true;
    if (!this.#has(address) && !this.#has(withoutExtension(address))) return false;
    this.#known.add(address);
    return true;
  }

  #has(address: string): boolean {
    return this.#any.get(address)?.["found"] === 1;
  }
}
