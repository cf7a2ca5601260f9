import type { DatabaseSync } from "node:sqlite";
import { isDeepStrictEqual } from "node:util";
import { type AccountSetting, type AccountSettingKey, SETTING_TABLES } from "./accounts-db/setting-tables.ts";
import type { Row } from "./columns.ts";
import { openAnySchema } from "./schemas.ts";

/** Names of rows that exist in only one of two databases, or differ. */
export type Changes = Readonly<{ added: readonly string[]; removed: readonly string[]; changed: readonly string[] }>;
/** The kinds of rows that are compared, with their names in messages. */
export const CHANGING = [
  ["accounts", "accounts"],
  ["aliases", "aliases"],
  ["blockedAliases", "blocked aliases"],
  ["bans", "bans"],
  ["allowed", "allow list"],
  ["allowedSenders", "allowed senders"],
  ["held", "accounts whose mail is held"],
  ["tokens", "tokens"],
  ["passwords", "dashboard"],
  ["factors", "second factors"],
] as const;
/** What was changed in the databases since a copy of them was made. */
export type ChangedSince = Readonly<
  {
    events: number;
    audited: number;
    /** Accounts with keys that the copy lacks. Without these keys their mail since then cannot be read. */
    newKeys: readonly string[];
  } & Record<(typeof CHANGING)[number][0], Changes> &
    SettingChanges
>;

/** Databases of any schema. */
export type Pair = Readonly<{ engine: DatabaseSync; accounts: DatabaseSync }>;

/** Compares what both schemas have. */
export function changedSince(now: Pair, copy: Pair): ChangedSince {
  const between = (kind: keyof Pair, from: string, name: string): Changes =>
    compare(rowsOf(now[kind], from, name), rowsOf(copy[kind], from, name));
  return {
    events: countAfter(now.engine, copy.engine, "event"),
    audited: countAfter(now.engine, copy.engine, "audit_entry"),
    newKeys: accountsWithNewKeys(now.accounts, copy.accounts),
    accounts: between("accounts", "account", "name"),
    aliases: between("accounts", "alias", "address || ' to ' || target"),
    blockedAliases: between("accounts", "alias_block", "address"),
    bans: between("engine", "ban WHERE ended_at IS NULL", "prefix"),
    allowed: between("engine", "allow_entry", "prefix"),
    allowedSenders: between("engine", "spam_allow", "sender || ' for ' || account"),
    held: between("engine", "account_hold WHERE released_at IS NULL", "account"),
    tokens: between("accounts", "token", "name"),
    passwords: between("accounts", "admin WHERE key = 'password'", "key"),
    factors: compare(factorsOf(now.accounts), factorsOf(copy.accounts)),
    ...settingChanges(now.accounts, copy.accounts),
  };
}

type Paths = Readonly<{ engineDb: string; accountsDb: string }>;

/** Like `changedSince`, but opens the databases. Throws SQLite's errors. */
export function changesBetween(now: Paths, copy: Paths): ChangedSince {
  using engine = openAnySchema(now.engineDb);
  using accounts = openAnySchema(now.accountsDb);
  using engineCopy = openAnySchema(copy.engineDb);
  using accountsCopy = openAnySchema(copy.accountsDb);
  return changedSince({ engine, accounts }, { engine: engineCopy, accounts: accountsCopy });
}

/** The number of rows after the last one of the copy. */
function countAfter(now: DatabaseSync, copy: DatabaseSync, table: string): number {
  if (!hasTable(now, table)) return 0;
  const last = hasTable(copy, table) ? copy.prepare(`SELECT max(id) AS id FROM ${table}`).get()?.["id"] : 0;
  const found = now.prepare(`SELECT count(*) AS n FROM ${table} WHERE id > ?`).get(Number(last ?? 0));
  return Number(found?.["n"] ?? 0);
}

function accountsWithNewKeys(now: DatabaseSync, copy: DatabaseSync): readonly string[] {
  const keysOf = (db: DatabaseSync) => rowsOf(db, "account_key ORDER BY account", "account || ' ' || id", "account");
  const copied = keysOf(copy);
  const added = [...keysOf(now)].filter(([key]) => !copied.has(key));
  return [...new Set(added.map(([, { is }]) => String(is)))];
}

/** The second factors of the dashboard's sign-in. Using a recovery code counts as a change; using an app's code or a passkey does not. */
function factorsOf(db: DatabaseSync): Rows {
  return new Map([
    ...rowsOf(db, "admin_totp", "'authenticator app'", "hex(secret)"),
    ...rowsOf(db, "admin_recovery", "'recovery code ' || substr(digest, 1, 8)", "used_at IS NULL"),
    ...rowsOf(db, "admin_passkeys", "'passkey ' || name", "hex(public_key)"),
  ]);
}

export type SettingChanges = Readonly<Record<AccountSettingKey, Changes>>;

/** Compares the settings of accounts in two `accounts.db`. Some may have been removed because a thief had set them. */
export function settingChanges(now: DatabaseSync, copy: DatabaseSync): SettingChanges {
  const between = ({ rows: { from, name, is } }: AccountSetting): Changes =>
    compare(rowsOf(now, from, name, is), rowsOf(copy, from, name, is));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the keys are those of the list
  return Object.fromEntries(SETTING_TABLES.map((one) => [one.key, between(one)])) as SettingChanges;
}

function hasTable(db: DatabaseSync, table: string): boolean {
  return db.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?").get(table) !== undefined;
}

type Rows = ReadonlyMap<string, Row>;

/** Rows by `name`, which must work in every schema. Rows differ if `is` does; without `is`, if any column that both schemas have does. */
function rowsOf(db: DatabaseSync, from: string, name: string, is?: string): Rows {
  const [table = from] = from.split(" ");
  if (!hasTable(db, table)) return new Map();
  const rows = db.prepare(`SELECT ${name} AS its_name, ${is === undefined ? "*" : `${is} AS "is"`} FROM ${from}`);
  rows.setReadBigInts(true);
  // A ban that `simulate` prevented was never in force.
  const real = rows.all().filter((row) => row["simulated"] !== 1n);
  return new Map(real.map((row) => [String(row["its_name"]), row]));
}

function compare(now: Rows, copy: Rows): Changes {
  const isChanged = ([name, row]: readonly [string, Row]): boolean =>
    Object.entries(copy.get(name) ?? {}).some(
      ([column, value]) => column !== "used_at" && column in row && !isDeepStrictEqual(row[column], value),
    );
  return {
    added: [...now.keys()].filter((name) => !copy.has(name)),
    removed: [...copy.keys()].filter((name) => !now.has(name)),
    changed: [...now].filter(isChanged).map(([name]) => name),
  };
}
