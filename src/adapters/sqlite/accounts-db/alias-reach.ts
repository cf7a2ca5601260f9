import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Address } from "../../../core/net/address.ts";
import type { AliasReach, Reached } from "../../../engine/mailbox-ports.ts";
import { text } from "../columns.ts";

/** How many addresses Postfix expands one to: an alias counts once for each mention, as in cleanup(8). */
export class SqliteAliasReach implements AliasReach {
  readonly #targets: StatementSync;
  readonly #aliases: StatementSync;

  constructor(db: DatabaseSync) {
    this.#targets = db.prepare("SELECT target FROM onward WHERE address = ?");
    this.#aliases = db.prepare("SELECT address FROM onward WHERE target = ?");
  }

  widest(address: Address): Reached {
    const counts = new Map<string, number>();
    const reached = this.#leadingTo(address).map((alias) => ({ alias, addresses: this.#count(alias, counts) }));
    return reached.reduce((a, b) => (b.addresses > a.addresses ? b : a), { alias: address, addresses: 1 });
  }

  /** The address, and each alias that has it among its targets, directly or through others. */
  #leadingTo(address: Address): readonly string[] {
    const found = new Set<string>([address]);
    for (const one of found) for (const row of this.#aliases.iterate(one)) found.add(text(row["address"]));
    return [...found];
  }

  #count(address: string, counts: Map<string, number>): number {
    const known = counts.get(address);
    if (known !== undefined) return known;
    // An address that leads back to itself, which no command creates.
    counts.set(address, 1);
    const targets = this.#targets.all(address).map((row) => text(row["target"]).toLowerCase());
    const count = targets.length === 0 ? 1 : targets.reduce((sum, target) => sum + this.#count(target, counts), 0);
    counts.set(address, count);
    return count;
  }
}
