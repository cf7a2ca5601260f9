import type { DatabaseSync } from "node:sqlite";
import { integer } from "../columns.ts";

/**
 * The number of event rows, known without counting: read from EventTally when opened, then updated with each insert and
 * removal.
 */
export class EventCount {
  #committed: number;
  #pending = 0;

  constructor(db: DatabaseSync) {
    const row = db
      .prepare("SELECT present + (SELECT count(*) FROM event WHERE id > upto) AS n FROM event_tallied")
      .get();
    this.#committed = integer(row?.["n"]);
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
