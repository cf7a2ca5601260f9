/**
 * `accounts.db`: the index is the schema version; append only. Postfix and Dovecot read the views directly, through
 * Debian's SQLite 3.40 and as other users, so a view may use nothing newer. Names compare without case: an address
 * reaches Postfix as the client typed it.
 */
export const accountsMigrations: readonly string[] = [
  // A suspended account keeps receiving mail but cannot sign in.
  // `sender_login`: which logins may send as an address: its own account, or an account that its alias names.
  `
  CREATE TABLE account (
    name TEXT COLLATE NOCASE PRIMARY KEY CHECK (name LIKE '_%@_%'),
    password TEXT NOT NULL CHECK (password LIKE '{_%}_%'),
    suspended INTEGER NOT NULL DEFAULT 0 CHECK (suspended IN (0, 1)),
    created_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE alias (
    address TEXT COLLATE NOCASE NOT NULL,
    target TEXT COLLATE NOCASE NOT NULL,
    PRIMARY KEY (address, target)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE alias_block (
    address TEXT COLLATE NOCASE PRIMARY KEY
  ) STRICT, WITHOUT ROWID;

  CREATE VIEW passdb (user, password) AS
    SELECT name, password FROM account WHERE suspended = 0;

  CREATE VIEW userdb (user) AS
    SELECT name FROM account;

  CREATE VIEW mailbox (address) AS
    SELECT name FROM account;

  CREATE VIEW alias_map (address, targets) AS
    SELECT address, group_concat(target, ',') FROM alias
    WHERE address NOT IN (SELECT address FROM alias_block)
    GROUP BY address;

  CREATE VIEW sender_login (address, logins) AS
    SELECT address, group_concat(login, ',') FROM (
      SELECT name AS address, name AS login FROM account
      UNION
      SELECT alias.address, account.name FROM alias JOIN account ON account.name = alias.target
      WHERE alias.address NOT IN (SELECT address FROM alias_block)
    )
    GROUP BY address;
  `,
];
