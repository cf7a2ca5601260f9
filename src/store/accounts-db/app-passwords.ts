import type { DatabaseSync } from "node:sqlite";
import { noAccount } from "../../admin/accounts.ts";
import type { AppPasswordItem } from "../../admin/declare/items.ts";
import { MOST_APP_PASSWORDS } from "../../admin/mailboxes.ts";
import { isWorthNoting } from "../../core/access/session.ts";
import type { AccountName } from "../../core/net/address.ts";
import { isoTime, isoTimeOrNull, type Millis } from "../../core/time.ts";
import type { AppPasswordStore, NewAppPassword } from "../../guard/mailbox-ports.ts";
import type { Outcome } from "../../guard/ports.ts";
import { integer, millis, millisOrNull, sqlDayAndTime, text } from "../columns.ts";
import { type Prepared, prepared } from "../transactions.ts";
import { ANY_KEY } from "./account-keys.ts";
import { NotedUses } from "./credentials.ts";

/** Fewer than the passwords by which the guard knows an account again, so that those of its sign-ins stay among them. */
const MOST_PASSWORD_HASHES = 4;

/** The passwords of single mail programs, in `accounts.db`. Throws if the file cannot be written. */
export class SqliteAppPasswords implements AppPasswordStore {
  readonly #db: DatabaseSync;
  readonly #sql: Prepared<typeof SQL>;
  readonly #uses: NotedUses;

  constructor(db: DatabaseSync, uses = new NotedUses()) {
    this.#db = db;
    this.#sql = prepared(db, SQL);
    this.#uses = uses;
  }

  addAppPassword({ account, name, digest, passwordHash, by, at }: NewAppPassword): Outcome {
    if (!this.#has(account)) return { ok: false, reason: noAccount(account) };
    if (this.#sql.ownKey.get(account) !== undefined)
      return { ok: false, reason: `Mail of ${account} is encrypted with a key that only its own password opens.` };
    if (integer(this.#sql.count.get(account)?.["n"]) >= MOST_APP_PASSWORDS)
      return { ok: false, reason: `${account} has ${MOST_APP_PASSWORDS} app passwords, as many as there may be.` };
    const { changes } = this.#sql.add.run(account, name, digest, passwordHash, by, at);
    return changes === 0
      ? { ok: false, reason: `${account} has an app password named ${name} already.` }
      : { ok: true };
  }

  removeAppPassword(account: AccountName, name: string): Outcome {
    if (!this.#has(account)) return { ok: false, reason: noAccount(account) };
    const { changes } = this.#sql.remove.run(account, name);
    return changes === 0 ? { ok: false, reason: `${account} has no app password named ${name}.` } : { ok: true };
  }

  appPasswordsOf(account: string): readonly AppPasswordItem[] {
    return readAppPasswords(this.#db, account);
  }

  passwordHashesOf(account: string): readonly string[] {
    return this.#sql.passwordHashes.all(account, MOST_PASSWORD_HASHES).map((row) => text(row["proof"]));
  }

  used(account: string, name: string, now: Millis): void {
    const row = this.#sql.one.get(account, name);
    if (row === undefined || !isWorthNoting(millisOrNull(row["used_at"]), now)) return;
    this.#uses.note(this.#sql.used, now, text(row["digest"]));
  }

  #has(account: AccountName): boolean {
    return this.#sql.account.get(account) !== undefined;
  }
}

/** Oldest first; the connection may be read-only. */
function readAppPasswords(db: DatabaseSync, account: string): readonly AppPasswordItem[] {
  const rows = db
    .prepare("SELECT name, made_at, made_by, used_at FROM app_password WHERE account = ? ORDER BY made_at, name")
    .all(account);
  return rows.map((row) => ({
    name: text(row["name"]),
    madeAt: isoTime(millis(row["made_at"])),
    madeBy: text(row["made_by"]),
    usedAt: isoTimeOrNull(millisOrNull(row["used_at"])),
  }));
}

const SQL = {
  account: "SELECT 1 FROM account WHERE name = ?",
  ownKey: ANY_KEY,
  count: "SELECT count(*) AS n FROM app_password WHERE account = ?",
  add: `
    INSERT INTO app_password (account, name, digest, proof, made_by, made_at) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT DO NOTHING`,
  remove: "DELETE FROM app_password WHERE account = ? AND name = ?",
  passwordHashes: `
    SELECT proof FROM app_password WHERE account = ? ORDER BY coalesce(used_at, made_at) DESC, name LIMIT ?`,
  one: "SELECT digest, used_at FROM app_password WHERE account = ? AND name = ?",
  used: "UPDATE app_password SET used_at = ? WHERE digest = ?",
};

/** The entry of app passwords in `SETTING_TABLES` (`setting-tables.ts` beside it). */
export const APP_PASSWORDS = {
  key: "appPasswords",
  store: (db: DatabaseSync, uses: NotedUses) => new SqliteAppPasswords(db, uses),
  schema: `
  -- Passwords of single mail programs. \`digest\`: SHA-256 in hexadecimal; each is 99 random bits, which no guessing finds, so a
  -- slow hash would only cost. \`proof\`: what Dovecot tells the guard of it (\`pwhash\`). Any new password of the account removes them.
  CREATE TABLE app_password (
    account TEXT COLLATE NOCASE NOT NULL,
    name TEXT COLLATE NOCASE NOT NULL,
    digest TEXT NOT NULL UNIQUE,
    proof TEXT NOT NULL,
    made_by TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    used_at INTEGER,
    PRIMARY KEY (account, name)
  ) STRICT, WITHOUT ROWID;
  CREATE TRIGGER app_passwords_of_removed AFTER DELETE ON account BEGIN
    DELETE FROM app_password WHERE account = old.name;
  END;
  CREATE TRIGGER app_passwords_of_before AFTER UPDATE OF password ON account WHEN new.password <> old.password BEGIN
    DELETE FROM app_password WHERE account = old.name;
  END;

  -- Who may sign in with one of them.
  CREATE VIEW app_passdb (user, digest, app, allow_nets) AS
    SELECT passdb.user, app_password.digest, app_password.name, passdb.allow_nets
    FROM app_password JOIN passdb ON passdb.user = app_password.account;
`,
  tables: ["app_password"],
  says: "app passwords",
  undo: "account app-password remove ADDRESS NAME",
  rows: { from: "app_password", name: "name || ' of ' || account", is: "digest" },
  shown: {
    what: "app password",
    item: "name",
    is: `'made ' || ${sqlDayAndTime("made_at")} || iif(used_at IS NULL, ', never used', ', last used ' || ${sqlDayAndTime("used_at")})`,
  },
  own: { name: "appPasswords", read: readAppPasswords },
} as const;
