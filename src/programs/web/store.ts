import { statSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { messageOf } from "../../core/error.ts";
import type { Queries } from "../../guard/storage-ports.ts";
import { sqliteQueries } from "../../store/engine-db/queries.ts";
import { openEngineForReading } from "../../store/open.ts";
import { closedOnError } from "../../store/schemas.ts";
import { StoreDown } from "../../surfaces/api/ports.ts";

type Opened = Readonly<{ db: DatabaseSync; inode: bigint; queries: Queries }>;

/**
 * `engine.db` as the web reads it: opened when it is first needed, and reopened after it failed or was replaced by a
 * restored one. The guard creates it, perhaps after the web starts.
 */
export function createWebStore(
  path: string,
  onChange: (trouble: string | null) => void,
  openDb = openEngineForReading,
) {
  let opened: Opened | null = null;
  /** Why it cannot be read now, for the log; null while it can. */
  let lastTrouble: string | null = null;
  /** Every call throws `StoreDown` while the database cannot be read. */
  const queries: Queries = {
    bans: (now, asked) => read(({ queries }) => queries.bans(now, asked)),
    events: (filter) => read(({ queries }) => queries.events(filter)),
    address: (prefix, now, bans) => read(({ queries }) => queries.address(prefix, now, bans)),
    banChanges: (after, most) => read(({ queries }) => queries.banChanges(after, most)),
    spamScores: (ids) => read(({ queries }) => queries.spamScores(ids)),
    // A restored copy has the same name, but may reuse the ids of later events.
    name: () => read(({ queries, inode }) => `${queries.name()}-${inode.toString(36)}`),
    figures: {
      banCounts: (now) => read(({ queries }) => queries.figures.banCounts(now)),
      topIps: (since, most) => read(({ queries }) => queries.figures.topIps(since, most)),
      top: (by, since, most) => read(({ queries }) => queries.figures.top(by, since, most)),
      totals: (at) => read(({ queries }) => queries.figures.totals(at)),
      totalsAt: (span) => read(({ queries }) => queries.figures.totalsAt(span)),
    },
  };

  function close(): void {
    try {
      opened?.db.close();
    } catch {
      // A connection that cannot even be closed is left to the garbage collector.
    }
    opened = null;
  }

  function read<T>(work: (now: Opened) => T): T {
    try {
      const value = work(current());
      note(null);
      return value;
    } catch (error) {
      const trouble = messageOf(error);
      note(trouble);
      close();
      throw new StoreDown(trouble);
    }
  }

  function current(): Opened {
    const { ino } = statSync(path, { bigint: true });
    if (opened !== null && opened.inode !== ino) close();
    if (opened !== null) return opened;
    opened = closedOnError(openDb(path), (db) => ({ db, inode: ino, queries: sqliteQueries(db) }));
    return opened;
  }

  function note(trouble: string | null): void {
    if (trouble === lastTrouble) return;
    lastTrouble = trouble;
    onChange(trouble);
  }

  return { queries, close };
}
