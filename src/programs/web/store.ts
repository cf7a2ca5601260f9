import { statSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { messageOf } from "../../core/error.ts";
import type { Queries } from "../../guard/storage-ports.ts";
import { SqliteQueries } from "../../store/engine-db/queries.ts";
import { openEngineForReading } from "../../store/open.ts";
import { StoreDown } from "../../surfaces/api/ports.ts";

type Opened = Readonly<{ db: DatabaseSync; inode: bigint; queries: Queries }>;

/**
 * `engine.db` as the web reads it: opened when it is first needed, and reopened after it failed or was replaced by a
 * restored one. The guard creates it, perhaps after the web starts.
 */
export class WebStore {
  readonly #path: string;
  readonly #open: (path: string) => DatabaseSync;
  #opened: Opened | null = null;
  readonly #onChange: (trouble: string | null) => void;
  /** Why it cannot be read now, for the log; null while it can. */
  #trouble: string | null = null;

  constructor(path: string, onChange: (trouble: string | null) => void, openDb = openEngineForReading) {
    this.#path = path;
    this.#open = openDb;
    this.#onChange = onChange;
  }

  /** Every call throws `StoreDown` while the database cannot be read. */
  readonly queries: Queries = {
    bans: (now, asked) => this.#read(({ queries }) => queries.bans(now, asked)),
    events: (filter) => this.#read(({ queries }) => queries.events(filter)),
    address: (prefix, now, memoryMs) => this.#read(({ queries }) => queries.address(prefix, now, memoryMs)),
    banChanges: (after, most) => this.#read(({ queries }) => queries.banChanges(after, most)),
    spamScores: (ids) => this.#read(({ queries }) => queries.spamScores(ids)),
    // A restored copy has its name, and the ids of later events may be reused.
    name: () => this.#read(({ queries, inode }) => `${queries.name()}-${inode.toString(36)}`),
    figures: {
      bansInForce: (now) => this.#read(({ queries }) => queries.figures.bansInForce(now)),
      topIps: (since, most) => this.#read(({ queries }) => queries.figures.topIps(since, most)),
      top: (by, since, most) => this.#read(({ queries }) => queries.figures.top(by, since, most)),
      totals: (at) => this.#read(({ queries }) => queries.figures.totals(at)),
      totalsAt: (span) => this.#read(({ queries }) => queries.figures.totalsAt(span)),
    },
  };

  close(): void {
    this.#opened?.db.close();
    this.#opened = null;
  }

  #read<T>(read: (opened: Opened) => T): T {
    try {
      const value = read(this.#current());
      this.#note(null);
      return value;
    } catch (error) {
      const trouble = messageOf(error);
      this.#note(trouble);
      this.#forget();
      throw new StoreDown(trouble);
    }
  }

  #current(): Opened {
    const { ino } = statSync(this.#path, { bigint: true });
    if (this.#opened !== null && this.#opened.inode !== ino) this.#forget();
    if (this.#opened !== null) return this.#opened;
    const db = this.#open(this.#path);
    this.#opened = { db, inode: ino, queries: new SqliteQueries(db) };
    return this.#opened;
  }

  #forget(): void {
    try {
      this.close();
    } catch {
      this.#opened = null; // a connection that cannot even be closed is left to the garbage collector
    }
  }

  #note(trouble: string | null): void {
    if (trouble === this.#trouble) return;
    this.#trouble = trouble;
    this.#onChange(trouble);
  }
}
