import type { DatabaseSync } from "node:sqlite";
import type { AccountKey, KeptKey, KeyCounts } from "../../admin/declare/account-key.ts";
import type { Outcome } from "../../guard/ports.ts";
import { flag, integer, rowReader, text } from "../columns.ts";

export const ANY_KEY = "SELECT 1 FROM account_key WHERE account = ? LIMIT 1";

/** The keys of accounts in `accounts.db`; never removed, because mail encrypted with a key may be anywhere. */
export function sqliteAccountKeys(db: DatabaseSync) {
  const hasPassword = db.prepare("SELECT 1 FROM account WHERE name = ? AND password = ?");
  const insert = db.prepare(`
    INSERT INTO account_key (account, id, place, public_key, locked, for_password, recoverable)
    VALUES ($account, $id, (SELECT coalesce(max(place), 0) + 1 FROM account_key WHERE account = $account),
      $publicKey, $locked, $hash, $recoverable)
    ON CONFLICT DO UPDATE SET locked = excluded.locked, for_password = excluded.for_password`);
  /** Stores keys within the caller's transaction. An existing key keeps its position. */
  const keep = (account: string, hash: string, keys: readonly AccountKey[]): void => {
    for (const { id, publicKey, locked, recoverable } of keys)
      insert.run({ account, id, publicKey, locked, hash, recoverable });
  };
  return {
    keep,
    /** Also within the caller's transaction. */
    open: (account: string, hash: string, keys: readonly AccountKey[]): Outcome => {
      if (hasPassword.get(account, hash) === undefined)
        return { ok: false, reason: `${account} has a new password by now, or was removed.` };
      keep(account, hash, keys);
      return { ok: true };
    },
  };
}

/** All keys of an account, newest first; the account may be gone. */
export function readKeys(db: DatabaseSync, account: string): readonly KeptKey[] {
  return db
    .prepare(`
      SELECT id, public_key, locked, recoverable,
        EXISTS (SELECT 1 FROM account WHERE name = account AND password = for_password) AS is_open
      FROM account_key WHERE account = ? ORDER BY place DESC`)
    .all(account)
    .map(rowReader({ id: text, publicKey: text, locked: text, recoverable: text, isOpen: flag }));
}

/** Whether any account has a key, including removed accounts. */
export function hasKeys(db: DatabaseSync): boolean {
  return db.prepare("SELECT 1 FROM account_key LIMIT 1").get() !== undefined;
}

/** The keys of all accounts for `encryption show` and `check`; at most `most` names each. */
export function countKeys(db: DatabaseSync, most: number): KeyCounts {
  const count = (sql: string): number => integer(db.prepare(`SELECT count(*) AS n ${sql}`).get()?.["n"]);
  const names = (sql: string): readonly string[] =>
    db
      .prepare(`SELECT name FROM account ${sql} ORDER BY name LIMIT ?`)
      .all(most)
      .map((row) => text(row["name"]));
  const closed = "EXISTS (SELECT 1 FROM account_key WHERE account = name AND for_password <> password)";
  const keyless = "JOIN encrypting_key ON user = name WHERE public_key IS NULL AND";
  const ofFile = "('listed', 'unlisted')";
  return {
    own: count("FROM encrypting_key WHERE public_key IS NOT NULL"),
    without: names(`${keyless} coalesce(followed, '') NOT IN ${ofFile}`),
    ofFile: count(`FROM account ${keyless} followed IN ${ofFile}`),
    closed: names(`WHERE ${closed}`),
  };
}
