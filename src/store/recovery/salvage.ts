import { DatabaseSync } from "node:sqlite";
import { messageOf, readOr } from "../../core/error.ts";
import { text } from "../columns.ts";
import { isDamage, isRefused } from "../open.ts";
import { closedOnError } from "../schemas.ts";
import { together } from "../transactions.ts";

/**
 * The lasting tables: bans, lists, facts about addresses and accounts, the audit. Excludes alerts, which events raise
 * again, and tables computed from others.
 */
const LASTING: readonly string[] = [
  ..."account_hold account_password allow_entry audit_entry ban correspondent greylist_pause guess held_mail".split(
    " ",
  ),
  ..."honest_mail jail_report known_address log_position refusal spam_allow".split(" "),
];

/** The newest events of all addresses together. Reading them takes less than a second. */
const NEWEST_EVENTS = { table: "event", order: "ORDER BY id DESC LIMIT 20000" };
/** Sums of events that retention removed. There are too many to digest every few minutes. */
const SUMS = { table: "event_summary", order: "" };
/** Enough for two days and more, so that counters do not restart at zero. */
const NEWEST_MINUTES = { table: "event_minute", order: "ORDER BY id DESC LIMIT 4000" };

/** Tables that were read to their end. */
export type Salvaged = ReadonlySet<string>;

/**
 * Copies the readable part of `from` into `db`. Skips rows that cannot be read, that no longer fit their table, or that `db`
 * has already, and the tables in `done`. Throws only if `db` cannot be written.
 */
export function salvage(from: string, db: DatabaseSync, done: Salvaged = new Set()): Salvaged {
  using source = readOr(() => openedForReading(from), null);
  if (source === null) return done;
  return new Set([...done, ...copyAll(source, db, done)]);
}

/**
 * Copies the lasting tables, without events and their counts, into the empty file at `path`, which stays small however large the
 * database is. Throws SQLite's error if one of them cannot be read to its end, because an earlier digest is better. Errors of
 * `path` have no SQLite code, so that they do not count as damage of `source`.
 */
export function digest(source: DatabaseSync, path: string): void {
  try {
    // Copies inside SQLite and without indexes, in a twentieth of the time of single rows, because other maintenance waits for it.
    source.prepare("ATTACH ? AS digest").run(path);
    try {
      copyWhole(source);
    } finally {
      source.exec("DETACH digest");
    }
  } catch (error) {
    throw isDamage(error) && isDamaged(source) ? error : new Error(messageOf(error), { cause: error });
  }
}

function copyWhole(source: DatabaseSync): void {
  // A failed copy is discarded.
  source.exec("PRAGMA digest.journal_mode = MEMORY; BEGIN");
  try {
    for (const table of LASTING) source.exec(`CREATE TABLE digest.${table} AS SELECT * FROM main.${table}`);
    source.exec("COMMIT");
  } catch (error) {
    if (source.isTransaction) source.exec("ROLLBACK");
    throw error;
  }
}

function isDamaged(db: DatabaseSync): boolean {
  try {
    return LASTING.some((table) => {
      const found = db.prepare(`PRAGMA main.quick_check(${table})`).get();
      return text(found?.["quick_check"]) !== "ok";
    });
  } catch (error) {
    return isDamage(error);
  }
}

function copyAll(source: DatabaseSync, db: DatabaseSync, done: Salvaged): readonly string[] {
  const tables = [...LASTING.map((table) => ({ table, order: "" })), SUMS, NEWEST_EVENTS, NEWEST_MINUTES];
  return together(db, () => {
    // The row of minute 0 stands for "nothing before". `source` has its own until its first minutes are removed.
    if (!done.has(NEWEST_MINUTES.table)) db.exec("DELETE FROM event_minute WHERE minute = 0");
    const complete = tables.filter((one) => !done.has(one.table) && copyTable(source, db, one));
    db.exec("INSERT INTO event_minute (minute, totals) SELECT 0, '{}' WHERE NOT EXISTS (SELECT 1 FROM event_minute)");
    // Events up to `last_event` no longer count. Their ids are reused if the newest were lost.
    if (!done.has("event"))
      db.exec("UPDATE ban SET last_event = min(last_event, (SELECT coalesce(max(id), 0) FROM event))");
    return complete.map(({ table }) => table);
  });
}

function openedForReading(path: string): DatabaseSync {
  return closedOnError(new DatabaseSync(path), (source) => {
    // The first query opens the files.
    source.exec("PRAGMA trusted_schema = OFF; PRAGMA wal_autocheckpoint = 0; SELECT count(*) FROM sqlite_schema");
    return source;
  });
}

type Copy = Readonly<{ table: string; order: string }>;

/** Copies a table as far as it can be read. Returns whether it was read to its end. */
function copyTable(source: DatabaseSync, db: DatabaseSync, { table, order }: Copy): boolean {
  const known = new Set(readOr(() => columnsOf(source, table), []));
  const shared = columnsOf(db, table).filter((column) => known.has(column));
  if (shared.length === 0) return false;
  const insert = db.prepare(
    `INSERT OR IGNORE INTO ${table} (${shared.join()}) VALUES (${shared.map(() => "?").join()})`,
  );
  const rows = readOr(() => source.prepare(`SELECT ${shared.join()} FROM ${table} ${order}`).iterate(), null);
  for (;;) {
    const next = readOr(() => rows?.next() ?? null, null);
    if (next === null) return false;
    if (next.done === true) return true;
    const row = next.value;
    try {
      insert.run(...shared.map((column) => row[column] ?? null));
    } catch (error) {
      if (!isRefused(error)) throw error;
    }
  }
}

function columnsOf(db: DatabaseSync, table: string): readonly string[] {
  return db
    .prepare("SELECT name FROM pragma_table_info(?, 'main')")
    .all(table)
    .map((row) => text(row["name"]));
}
