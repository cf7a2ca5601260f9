import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { messageOf } from "../../../core/error.ts";
import { text } from "../columns.ts";

/**
 * What lasts: bans, lists, what is known of addresses and accounts, who may administer. Not the alerts, which the events
 * bring again, and not what is computed from other tables.
 */
const LASTING = [
  "account_hold",
  "account_password",
  "admin",
  "allow_entry",
  "audit_entry",
  "ban",
  "correspondent",
  "greylist_pause",
  "guess",
  "held_mail",
  "honest_mail",
  "jail_report",
  "known_address",
  "log_position",
  "refusal",
  "spam_allow",
  "token",
] as const;

/** More than any limit counts of one address, and read within a second. */
const NEWEST_EVENTS = { table: "event", order: "ORDER BY id DESC LIMIT 20000" };
/** Of two days and more: counters do not begin at zero again. */
const NEWEST_MINUTES = { table: "event_minute", order: "ORDER BY id DESC LIMIT 4000" };

/** Tables that were read to their end. */
export type Salvaged = ReadonlySet<string>;

/**
 * Copies what can be read of `from` into `db`. A row that cannot be read, that no longer fits its table, or that `db` has
 * already is left out. Tables in `done` are passed over. Throws only if `db` cannot be written.
 */
export function salvage(from: string, db: DatabaseSync, done: Salvaged = new Set()): Salvaged {
  const source = openedForReading(from);
  if (source === null) return done;
  try {
    return new Set([...done, ...copyAll(source, db, done)]);
  } finally {
    source.close();
  }
}

/**
 * The tables that last, without events and their counts: small, however large the database is. Throws what SQLite says if one of them
 * cannot be read to its end: an earlier digest is better. An error of `db` comes without SQLite's code, so that it counts as
 * no damage of `source`.
 */
export function digest(source: DatabaseSync, db: DatabaseSync): void {
  let cut: unknown = null;
  const ifCut: IfCut = (error) => {
    cut = error;
    throw error;
  };
  try {
    const complete = copyAll(source, db, new Set(["event", "event_minute"]), ifCut);
    const short = LASTING.filter((table) => !complete.includes(table));
    if (short.length > 0) throw new Error(`${short.join(", ")} could not be read to the end`);
  } catch (error) {
    throw error === cut ? error : new Error(messageOf(error), { cause: error });
  }
}

/** What is done about a table that cannot be read to its end. */
type IfCut = (error: unknown) => void;
const goOn: IfCut = () => undefined;

function copyAll(source: DatabaseSync, db: DatabaseSync, done: Salvaged, ifCut: IfCut = goOn): readonly string[] {
  const tables = [...LASTING.map((table) => ({ table, order: "" })), NEWEST_EVENTS, NEWEST_MINUTES];
  try {
    db.exec("BEGIN IMMEDIATE");
    const complete = tables.filter((one) => !done.has(one.table) && copyTable(source, db, { ...one, ifCut }));
    // Events up to `answered` no longer count. Their ids are given again if the newest were lost.
    if (!done.has("event"))
      db.exec("UPDATE ban SET answered = min(answered, (SELECT coalesce(max(id), 0) FROM event))");
    db.exec("COMMIT");
    return complete.map(({ table }) => table);
  } catch (error) {
    if (db.isTransaction) db.exec("ROLLBACK");
    throw error;
  }
}

function openedForReading(path: string): DatabaseSync | null {
  try {
    const source = new DatabaseSync(path);
    // The first query opens the files.
    source.exec("PRAGMA trusted_schema = OFF; PRAGMA wal_autocheckpoint = 0; SELECT count(*) FROM sqlite_schema");
    return source;
  } catch {
    return null;
  }
}

type Copy = Readonly<{ table: string; order: string; ifCut: IfCut }>;

/** Whether it was read to its end. */
function copyTable(source: DatabaseSync, db: DatabaseSync, { table, order, ifCut }: Copy): boolean {
  const known = new Set(columnsOf(source, table, ifCut));
  const shared = columnsOf(db, table, goOn).filter((column) => known.has(column));
  if (shared.length === 0) return false;
  const insert = db.prepare(
    `INSERT OR IGNORE INTO ${table} (${shared.join()}) VALUES (${shared.map(() => "?").join()})`,
  );
  const rows = rowsOf(source, `SELECT ${shared.join()} FROM ${table} ${order}`, ifCut);
  for (let next = rows.next(); ; next = rows.next()) {
    if (next.done === true) return next.value;
    const row = next.value;
    try {
      insert.run(...shared.map((column) => row[column] ?? null));
    } catch (error) {
      if (!isRefused(error)) throw error;
    }
  }
}

const SQLITE_CONSTRAINT = 19;

/** Also a value of another type than the column's. */
function isRefused(error: unknown): boolean {
  return error instanceof Error && "errcode" in error && (Number(error.errcode) & 0xff) === SQLITE_CONSTRAINT;
}

/** Returns whether it came to the end. */
function* rowsOf(source: DatabaseSync, sql: string, ifCut: IfCut): Generator<Record<string, SQLInputValue>, boolean> {
  try {
    yield* source.prepare(sql).iterate();
    return true;
  } catch (error) {
    ifCut(error);
    return false;
  }
}

function columnsOf(db: DatabaseSync, table: string, ifCut: IfCut): readonly string[] {
  try {
    return db
      .prepare("SELECT name FROM pragma_table_info(?)")
      .all(table)
      .map((row) => text(row["name"]));
  } catch (error) {
    ifCut(error);
    return [];
  }
}
