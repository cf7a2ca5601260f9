import type { DatabaseSync } from "node:sqlite";
import type { AppPasswordItem } from "../../admin/declare/items.ts";
import { MOST_APP_PASSWORDS } from "../../admin/mailboxes.ts";
import { isWorthNoting } from "../../core/access/session.ts";
import type { AppPasswordStore } from "../../guard/mailbox-ports.ts";
import { integer, iso, isoOrNull, millisOrNull, rowReader, sqlDayAndTime, text } from "../columns.ts";
import { prepared } from "../transactions.ts";
import { ANY_KEY } from "./account-keys.ts";
import { accountCheck, DONE, refused } from "./accounts.ts";
import type { NotedUses } from "./credentials.ts";

/** Fewer than the hashes that decisions consider (`login-facts.ts`), so that some of the account's sign-ins are among them too. */
const MOST_PASSWORD_HASHES = 4;

/** Passwords for single mail programs, in `accounts.db`. Throws if the file cannot be written. */
function sqliteAppPasswords(db: DatabaseSync, uses: NotedUses): AppPasswordStore {
  const sql = prepared(db, SQL);
  const check = accountCheck(db);
  return {
    addAppPassword: ({ account, name, digest, passwordHash, by, at }) => {
      const refusal = check(account);
      if (refusal !== null) return refusal;
      if (sql.ownKey.get(account) !== undefined)
        return refused(`Mail of ${account} is encrypted with a key that only its own password opens.`);
      if (integer(sql.count.get(account)?.["n"]) >= MOST_APP_PASSWORDS)
        return refused(`${account} already has ${MOST_APP_PASSWORDS} app passwords, the maximum: remove one first.`);
      const { changes } = sql.add.run(account, name, digest, passwordHash, by, at);
      return changes === 0 ? refused(`${account} has an app password named ${name} already.`) : DONE;
    },
    removeAppPassword: (account, name) => {
      if (sql.remove.run(account, name).changes > 0) return DONE;
      return check(account) ?? refused(`${account} has no app password named ${name}.`);
    },
    appPasswordsOf: (account) => readAppPasswords(db, account),
    passwordHashesOf: (account) =>
      sql.passwordHashes.all(account, MOST_PASSWORD_HASHES).map((row) => text(row["proof"])),
    used: (account, name, now) => {
      const row = sql.one.get(account, name);
      if (row !== undefined && isWorthNoting(millisOrNull(row["used_at"]), now))
        uses.note(sql.used, now, text(row["digest"]));
    },
  };
}

/** Oldest first; the connection may be read-only. */
function readAppPasswords(db: DatabaseSync, account: string): readonly AppPasswordItem[] {
  return db
    .prepare("SELECT name, made_at, made_by, used_at FROM app_password WHERE account = ? ORDER BY made_at, name")
    .all(account)
    .map(rowReader({ name: text, madeAt: iso, madeBy: text, usedAt: isoOrNull }));
}

const SQL = {
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

/** The entry for app passwords in `SETTING_TABLES` (`setting-tables.ts`). */
export const APP_PASSWORDS = {
  key: "appPasswords",
  store: sqliteAppPasswords,
  schema: `
  -- Passwords for single mail programs. \`digest\`: SHA-256 in hexadecimal. Each password has 99 random bits, which cannot be guessed, so
  -- a slow hash would only cost time. \`proof\`: the hash that Dovecot sends the guard (\`pwhash\`). Any new password of the account
  -- removes them.
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

  -- Accounts that may sign in with an app password.
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
  mailbox: { name: "appPasswords", read: readAppPasswords },
} as const;
