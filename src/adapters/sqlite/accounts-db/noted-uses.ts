import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Millis } from "../../../core/time.ts";
import { integer } from "../columns.ts";

/**
 * When sessions and tokens were used last. A note does not count as a change of the accounts: files made from them, and
 * their copy, stay unchanged. A row that is restored from the copy may have an earlier use.
 */
export class NotedUses {
  #rows = 0;

  /** A use that cannot be noted, for example because the disk is full, is still accepted. */
  note(use: StatementSync, now: Millis, digest: string): void {
    try {
      this.#rows += Number(use.run(now, digest).changes);
    } catch {}
  }

  /** Grows with each row that this connection changes, except for notes. */
  changes(db: DatabaseSync): number {
    return integer(db.prepare("SELECT total_changes() AS n").get()?.["n"]) - this.#rows;
  }
}
