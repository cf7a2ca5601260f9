import { chmodSync, closeSync, existsSync, openSync } from "node:fs";
import { basename } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { messageOf } from "../core/error.ts";
import { asOwnerOf } from "../host/machine/system-users.ts";
import { accountsApplicationId, accountsMigrations } from "./accounts-db/schema.ts";
import { accountSettingsTables } from "./accounts-db/setting-tables.ts";
import { integer, text } from "./columns.ts";
import { engineApplicationId, engineMigrations } from "./engine-db/schema.ts";
import {
  applicationIdOf,
  closedOnError,
  migrate,
  openAnySchema,
  refusePipes,
  schemaVersion,
  unusableSchema,
} from "./schemas.ts";

/** A file that cannot be used. The message is one sentence for the administrator, with the next step. */
export class UnusableDatabase extends Error {
  readonly code: "damaged" | "other_version" | "foreign" | "missing" | "unopenable";

  constructor(code: UnusableDatabase["code"], message: string) {
    super(message);
    this.name = "UnusableDatabase";
    this.code = code;
  }
}

type Kind = Readonly<{ applicationId: number; migrations: readonly string[]; checked: readonly string[] }>;

const ENGINE: Kind = {
  applicationId: engineApplicationId,
  migrations: engineMigrations,
  // Only the tables that decide who is banned or allowed. Checking the events would take seconds, and a damaged event grants no one access.
  checked: ["ban", "known_address", "allow_entry"],
};
const ACCOUNTS: Kind = {
  applicationId: accountsApplicationId,
  migrations: accountsMigrations,
  checked: [
    ..."account alias alias_block".split(" "),
    ...accountSettingsTables,
    ..."admin token session admin_totp admin_recovery admin_passkeys".split(" "),
  ],
};

/** How long a statement waits for another connection's lock. It is short because decisions wait too. */
export const BUSY_TIMEOUT_MS = 250;
const CACHE_KIB = 2_048;
/** 16 MB. A checkpoint waits for the disk. While the guard runs, another process does the checkpoints of `engine.db`. */
const CHECKPOINT_PAGES = 4_096;

type IfDamaged = Readonly<{
  /** `close` if the file will be renamed: SQLite deletes `-wal` and `-shm` by name, so a later close would delete its successor's. */
  ifDamaged: "close" | "keep";
}>;

/** Opens for writing; creates and migrates as needed. Throws UnusableDatabase. */
export function openEngine(path: string): DatabaseSync {
  return openForWriting(path, ENGINE, { ifDamaged: "close" });
}

/**
 * Like `openEngine`, for `accounts.db`. Never close it, and never end the process by running off the event loop: when
 * the last writer closes cleanly, SQLite deletes `-wal` and `-shm`. Without them Postfix and Dovecot cannot read the
 * file, because they may not write. `process.exit` keeps them.
 */
export function openAccounts(path: string, options: IfDamaged = { ifDamaged: "keep" }): DatabaseSync {
  return openForWriting(path, ACCOUNTS, options);
}

/** For the web and the command line. Throws UnusableDatabase, including when the file does not exist yet. */
export function openEngineForReading(path: string): DatabaseSync {
  return openForReading(path, ENGINE);
}

/** Like `openEngineForReading`, in a thread, which cannot change its user. Only for programs that never run as root. */
export function openEngineInThread(path: string): DatabaseSync {
  return openForReading(path, ENGINE, (_, open) => open());
}

export function openAccountsForReading(path: string): DatabaseSync {
  return openForReading(path, ACCOUNTS);
}

function openForWriting(path: string, kind: Kind, { ifDamaged }: IfDamaged): DatabaseSync {
  return orOneSentence(path, () => {
    createPrivate(path);
    refusePipes(path);
    const db = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
    try {
      prepareForWriting(db, path, kind);
    } catch (error) {
      if (ifDamaged === "close") db.close();
      throw error;
    }
    return db;
  });
}

function prepareForWriting(db: DatabaseSync, path: string, kind: Kind): void {
  refuseOthers(db, path, kind);
  db.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    PRAGMA cache_size = -${CACHE_KIB};
    PRAGMA temp_store = MEMORY;
    PRAGMA trusted_schema = OFF;
    PRAGMA cell_size_check = ON;
    PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES};
    PRAGMA journal_size_limit = 16777216`);
  migrate(db, kind.migrations, kind.applicationId);
  for (const table of kind.checked) {
    const verdict = text(db.prepare(`PRAGMA quick_check('${table}')`).get()?.["quick_check"]);
    if (verdict !== "ok") throw damaged(path, `table ${table}`);
  }
}

function openForReading(path: string, kind: Kind, as: typeof asOwnerOf = asOwnerOf): DatabaseSync {
  return orOneSentence(path, () => {
    if (!existsSync(path)) throw new UnusableDatabase("missing", `${path} does not exist yet; start the server first.`);
    return closedOnError(openAnySchema(path, BUSY_TIMEOUT_MS, as), (db) => {
      refuseOthers(db, path, kind);
      db.exec(`PRAGMA cache_size = -${CACHE_KIB}; PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF`);
      if (schemaVersion(db) < kind.migrations.length) {
        const next = "`./ghostinbox restart`, or the next start of a stopped server, does it";
        throw new UnusableDatabase("unopenable", `${path} has not been migrated yet; ${next}.`);
      }
      return db;
    });
  });
}

/**
 * Creates a file that only its owner and group can read; SQLite's would be readable by everyone. `-wal` and `-shm` take the same mode.
 */
export function createPrivate(path: string): void {
  if (existsSync(path)) return;
  closeSync(openSync(path, "a", 0o640));
  chmodSync(path, 0o640);
}

function refuseOthers(db: DatabaseSync, path: string, kind: Kind): void {
  const version = schemaVersion(db);
  const applicationId = applicationIdOf(db);
  const tables = integer(db.prepare("SELECT count(*) AS n FROM sqlite_schema").get()?.["n"]);
  if (applicationId !== kind.applicationId && (applicationId !== 0 || version !== 0 || tables !== 0)) {
    throw new UnusableDatabase("foreign", `${path} is not a GhostInbox ${basename(path)}: move it away.`);
  }
  const unusable = unusableSchema([{ path, version, known: kind.migrations.length }]);
  if (unusable !== null) throw new UnusableDatabase("other_version", unusable);
}

function damaged(path: string, what: string): UnusableDatabase {
  const says = `${path} is damaged (${what}); restore a copy of it, or move it away to start empty.`;
  return new UnusableDatabase("damaged", says);
}

/**
 * Turns an error of SQLite or the file system into one sentence. A file opened for writing stays open: the process is about to
 * end, and a clean close of `accounts.db` would lock out Postfix and Dovecot.
 */
function orOneSentence(path: string, open: () => DatabaseSync): DatabaseSync {
  try {
    return open();
  } catch (error) {
    throw error instanceof UnusableDatabase ? error : translated(path, error);
  }
}

const SQLITE_BUSY = 5;
const SQLITE_CONSTRAINT = 19;
const SQLITE_CORRUPT = 11;
/** The file is shorter than its header says. */
const SQLITE_IOERR_SHORT_READ = 522;
const SQLITE_CANTOPEN = 14;
const SQLITE_NOTADB = 26;

/** Whether an error means that the file itself is damaged, not that it cannot be used now. */
export function isDamage(error: unknown): boolean {
  if (error instanceof UnusableDatabase) return error.code === "damaged";
  const code = sqliteCodeOf(error);
  return [SQLITE_CORRUPT, SQLITE_NOTADB].includes(code & 0xff) || code === SQLITE_IOERR_SHORT_READ;
}

/** Throws UnusableDatabase if the database is damaged. For small databases, because it reads the whole file. */
export function refuseUnlessWhole(db: DatabaseSync, path: string): void {
  if (!isWhole(db)) throw damaged(path, "its check failed");
}

/** Whether another program holds a lock that this statement needs. */
export function isLocked(error: unknown): boolean {
  return (sqliteCodeOf(error) & 0xff) === SQLITE_BUSY;
}

/** Whether a row violates a constraint of its table, which includes the types of its columns. */
export function isRefused(error: unknown): boolean {
  return (sqliteCodeOf(error) & 0xff) === SQLITE_CONSTRAINT;
}

/** Whether the database is undamaged. For small databases, because it reads the whole file. */
export function isWhole(db: DatabaseSync): boolean {
  try {
    return text(db.prepare("PRAGMA quick_check(1)").get()?.["quick_check"]) === "ok";
  } catch (error) {
    if (isDamage(error)) return false;
    throw error;
  }
}

function sqliteCodeOf(error: unknown): number {
  return error instanceof Error && "errcode" in error ? Number(error.errcode) : 0;
}

function translated(path: string, error: unknown): UnusableDatabase {
  const says = messageOf(error);
  if (isDamage(error)) return damaged(path, says);
  const next =
    (sqliteCodeOf(error) & 0xff) === SQLITE_CANTOPEN
      ? " Stop the server and start it again: the start restores owners and rights."
      : "";
  return new UnusableDatabase("unopenable", `${path} cannot be opened: ${says}.${next}`);
}
