import { chmodSync, existsSync, rmSync, statSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { messageOf } from "../../../core/error.ts";
import { integer } from "../columns.ts";
import { digestOf } from "../recovery/names.ts";
import { setAsideBeside } from "../recovery/set-aside.ts";

/** A row of `engine.admin`: no other row was ever in this file, or nothing of those that were can be read any longer. */
const ERASED = "credentials_erased";
/** Free pages are taken in steps, so that the write-ahead log is copied and begins again meanwhile (8 MB). */
const PAGES_PER_STEP = 2_048;

/** Whether `engine.db` holds no password and no token. */
export function holdsNone(engine: DatabaseSync): boolean {
  const held = engine.prepare(`SELECT 1 FROM admin WHERE key <> '${ERASED}' UNION ALL SELECT 1 FROM token LIMIT 1`);
  return held.get() === undefined;
}

/**
 * Erases what `engine.db` held of passwords and tokens: the rows, what the write-ahead log and free pages still have of them,
 * the digest, which is made again within minutes, and takes from the web the right to read what was set aside. Notes in the
 * file that it is done, last of all; until then each start does it again. Null once it is done, otherwise why not: a server
 * that does not start protects nobody, so it never throws.
 */
export function eraseCredentials(engine: DatabaseSync, engineDb: string): string | null {
  try {
    closeSetAside(engineDb);
    if (isErased(engine)) return null;
    engine.exec("PRAGMA secure_delete = ON");
    lastingly(engine, () => engine.exec("DELETE FROM token; DELETE FROM admin"));
    const digest = digestOf(engineDb);
    for (const file of [digest, `${digest}.new`, `${engineDb}.new`])
      for (const end of ["", "-wal", "-shm"]) rmSync(`${file}${end}`, { force: true });
    if (!isLogEmptied(engine)) return `another program reads it: \`fuser -v ${engineDb}\` names it`;
    overwriteFreePages(engine);
    if (!isLogEmptied(engine)) return `another program reads it: \`fuser -v ${engineDb}\` names it`;
    lastingly(engine, () => engine.exec(`INSERT INTO admin (key, value, changed_at) VALUES ('${ERASED}', '', 0)`));
    return null;
  } catch (error) {
    return messageOf(error);
  } finally {
    engine.exec("PRAGMA secure_delete = OFF");
  }
}

/** On the disk before it returns. */
export function lastingly(db: DatabaseSync, write: () => void): void {
  db.exec("PRAGMA synchronous = FULL; BEGIN IMMEDIATE");
  try {
    write();
    db.exec("COMMIT");
  } catch (error) {
    if (db.isTransaction) db.exec("ROLLBACK");
    throw error;
  } finally {
    db.exec("PRAGMA synchronous = NORMAL");
  }
}

function isErased(engine: DatabaseSync): boolean {
  return holdsNone(engine) && engine.prepare(`SELECT 1 FROM admin WHERE key = '${ERASED}'`).get() !== undefined;
}

/** Of what was set aside it is not known from which version it is. */
function closeSetAside(engineDb: string): void {
  for (const aside of setAsideBeside(engineDb))
    for (const file of [aside, `${aside}-wal`])
      if (existsSync(file) && (statSync(file).mode & 0o077) !== 0) chmodSync(file, 0o600);
}

/** False while a reader needs what is in the log (the column `busy` of PRAGMA wal_checkpoint). */
function isLogEmptied(db: DatabaseSync): boolean {
  return integer(db.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get()?.["busy"]) === 0;
}

/**
 * Rows that were deleted earlier stay on pages that are free since: `secure_delete` clears only what is deleted under it, and
 * the unused part of a page of rows that is taken again. A table that takes all of these pages overwrites them; VACUUM would
 * write the whole database again.
 */
function overwriteFreePages(db: DatabaseSync): void {
  const of = (pragma: string): number => integer(db.prepare(`PRAGMA ${pragma}`).get()?.[pragma]);
  const pageSize = of("page_size");
  // Left by a start that was killed.
  db.exec("DROP TABLE IF EXISTS overwriting");
  if (of("freelist_count") === 0) return;
  db.exec("CREATE TABLE overwriting (bytes BLOB NOT NULL) STRICT");
  const take = db.prepare("INSERT INTO overwriting (bytes) VALUES (zeroblob(?))");
  for (let free = of("freelist_count"); free > 0; free = of("freelist_count"))
    take.run(blobOf(Math.min(free, PAGES_PER_STEP), pageSize));
  // They hold nothing any longer, so they need not be written a second time.
  db.exec("PRAGMA secure_delete = OFF; DROP TABLE overwriting");
}

/**
 * The bytes of a blob that fills so many overflow pages to their end: what is left of the last one would stay as it was. Four
 * bytes of each name the next, and a quarter of a page lies with the row (SQLite's file format, "Cell payload overflow pages").
 */
function blobOf(pages: number, pageSize: number): number {
  return pages * (pageSize - 4) + pageSize / 4;
}
