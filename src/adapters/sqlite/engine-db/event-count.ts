import type { DatabaseSync } from "node:sqlite";
import { integer } from "../columns.ts";

/** How many event rows there are, known without counting: counted once at open, then kept by who adds and removes. */
export class EventCount {
  #committed: number;
  #pending = 0;

  constructor(db: DatabaseSync) {
    this.#committed = integer(db.prepare("SELECT count(*) AS n FROM event").get()?.["n"]);
  }

  get rows(): number {
    return this.#committed;
  }

  add(rows: number): void {
    this.#pending += rows;
  }

  commit(): void {
    this.#committed += this.#pending;
    this.#pending = 0;
  }

  rollback(): void {
    this.#pending = 0;
  }
}
