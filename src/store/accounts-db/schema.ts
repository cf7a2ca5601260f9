import { LEAST_OF_A_MAIL } from "../../mail/dovecot/quota.ts";
import { sqlDomainOf } from "../columns.ts";
import { accountSettingsSchema } from "./setting-tables.ts";

/**
 * SQL: whether mail for `target` reaches a mailbox or leaves this server. It does neither if `target` leads only to blocked or removed
 * aliases. As in Postfix, an unknown address with an extension stands for the address without it. `mailboxes`: the ones that count.
 */
function arrives(mailboxes = "account WHERE name"): string {
  return `EXISTS (
      WITH RECURSIVE reached (address) AS (
        SELECT target
        UNION SELECT alias.target FROM reached JOIN alias ON alias.address = reached.address
          WHERE NOT EXISTS (SELECT 1 FROM alias_block WHERE alias_block.address = reached.address)
        UNION SELECT substr(address, 1, instr(address, '+') - 1) || substr(address, instr(address, '@')) FROM reached
          WHERE instr(address, '+') > 1
        UNION SELECT role_address.target FROM reached JOIN role_address ON role_address.address = reached.address)
      SELECT 1 FROM reached
      WHERE EXISTS (SELECT 1 FROM ${mailboxes} = reached.address)
        OR NOT EXISTS (SELECT 1 FROM served WHERE domain = ${sqlDomainOf("reached.address")}))`;
}

/** SQL: `named.address` without its extension; null if it has none. */
const WITHOUT_EXTENSION = `iif(instr(named.address, '+') > 1,
              substr(named.address, 1, instr(named.address, '+') - 1) || substr(named.address, instr(named.address, '@')), NULL)`;

/** SQL: accounts that can sign in come first, then the oldest. */
const FIRST_ACCOUNT = "(suspended > 0 OR followed IS 'unlisted'), created_at, name";

/** The key of an account that its password opens, counted from the newest. */
function openedKey(place: number): string {
  return `(SELECT locked FROM account_key WHERE account = name AND for_password = password ORDER BY place DESC LIMIT 1 OFFSET ${place})`;
}

/**
 * The schema of `accounts.db`. Postfix and Dovecot read the views directly, through Debian's SQLite 3.40 and as other
 * users, so a view must not use newer features. Names compare without case, because an address reaches Postfix as the
 * client typed it.
 */
const baseline = `
  -- A suspended account still receives mail but cannot sign in. \`followed\`: null if it was added or given a password here;
  -- \`listed\` if the followed accounts file has its line; \`unlisted\`, and thereby suspended, once that line is gone; \`imported\` if it
  -- came from a file once, so that a followed file may adopt it. \`suspended\` is 2 if its line was missing when following ended: a line
  -- in a file resumes such an account. \`quota_bytes\`: null for the setting mailboxes.quota, 0 for no limit.
  CREATE TABLE account (
    name TEXT COLLATE NOCASE PRIMARY KEY CHECK (name LIKE '_%@_%'),
    password TEXT NOT NULL CHECK (password LIKE '{_%}_%'),
    suspended INTEGER NOT NULL DEFAULT 0 CHECK (suspended IN (0, 1, 2)),
    created_at INTEGER NOT NULL,
    followed TEXT CHECK (followed IN ('imported', 'listed', 'unlisted')),
    quota_bytes INTEGER CHECK (quota_bytes >= 0)
  ) STRICT, WITHOUT ROWID;
  -- For \`role_address\`, which each lookup of a recipient reads.
  CREATE INDEX account_first ON account (${FIRST_ACCOUNT});

  -- The addresses that have a mailbox.
  CREATE VIEW mailbox (address) AS
    SELECT name FROM account;

  -- Dovecot's quota rules.
  CREATE VIEW userdb (user, quota_rule) AS
    SELECT name, '*:bytes=' || quota_bytes || ':messages=' || ((quota_bytes + ${LEAST_OF_A_MAIL - 1}) / ${LEAST_OF_A_MAIL})
    FROM account;

  -- One row for each target of an alias.
  CREATE TABLE alias (
    address TEXT COLLATE NOCASE NOT NULL,
    target TEXT COLLATE NOCASE NOT NULL,
    PRIMARY KEY (address, target)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX alias_target ON alias (target);

  -- Aliases that accept no mail for now.
  CREATE TABLE alias_block (
    address TEXT COLLATE NOCASE PRIMARY KEY
  ) STRICT, WITHOUT ROWID;

  -- The networks from which an account may sign in.
  CREATE TABLE account_network (
    account TEXT COLLATE NOCASE NOT NULL,
    network TEXT NOT NULL,
    PRIMARY KEY (account, network)
  ) STRICT, WITHOUT ROWID;

  -- \`account_network\` combined with the setting logins.networks, as Dovecot's allow_nets; the row '' is for accounts without
  -- their own networks.
  CREATE TABLE allowed_networks (
    account TEXT COLLATE NOCASE PRIMARY KEY,
    networks TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TRIGGER account_removed AFTER DELETE ON account BEGIN
    DELETE FROM account_network WHERE account = old.name;
    DELETE FROM allowed_networks WHERE account = old.name;
  END;

  -- Who may sign in.
  CREATE VIEW passdb (user, password, allow_nets) AS
    SELECT name, password, coalesce(
      (SELECT networks FROM allowed_networks WHERE account = name),
      (SELECT networks FROM allowed_networks WHERE account = ''))
    FROM account WHERE suspended = 0 AND followed IS NOT 'unlisted';

  -- The domains in the settings, for \`role_address\` and the scripts that reply.
  CREATE TABLE served (
    domain TEXT COLLATE NOCASE PRIMARY KEY
  ) STRICT, WITHOUT ROWID;

  -- The administrator's address in the settings, for \`role_address\`.
  CREATE TABLE administrator (
    address TEXT COLLATE NOCASE PRIMARY KEY
  ) STRICT, WITHOUT ROWID;

  -- Which of the two names of \`role_address\` the setting recipients.blocked refuses.
  CREATE TABLE refused_role (
    role TEXT COLLATE NOCASE PRIMARY KEY
  ) STRICT, WITHOUT ROWID;

  -- RFC 5321 4.5.1 requires postmaster@, RFC 2142 abuse@. Alerts go there too, so an administrator's address that accepts no mail is
  -- skipped: one at a served domain without an account or alias, or one with an account or alias at a domain that is no longer served.
  -- Then the first account is used, preferably one that can sign in.
  CREATE VIEW role_address (address, target) AS
    SELECT address, target FROM (
      SELECT (role || '@' || domain) COLLATE NOCASE AS address, coalesce(
        (SELECT address FROM administrator AS named
          WHERE EXISTS (SELECT 1 FROM served WHERE domain = ${sqlDomainOf("named.address")})
            = (EXISTS (SELECT 1 FROM account WHERE name IN (named.address, ${WITHOUT_EXTENSION}))
              OR EXISTS (SELECT 1 FROM alias WHERE alias.address IN (named.address, ${WITHOUT_EXTENSION})))),
        (SELECT name FROM account WHERE EXISTS (SELECT 1 FROM served WHERE domain = ${sqlDomainOf("name")})
          ORDER BY ${FIRST_ACCOUNT} LIMIT 1)) AS target
      FROM served, (SELECT 'postmaster' AS role UNION ALL SELECT 'abuse')
      WHERE role NOT IN (SELECT role FROM refused_role)
    ) AS role
    WHERE target IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM alias WHERE alias.address = role.address)
      AND NOT EXISTS (SELECT 1 FROM account WHERE account.name = role.address);

  -- Who gets that mail, and whether aliases bring it to another server or to an account that can sign in. Forwards are not followed.
  CREATE VIEW role_reader (address, reads) AS
    SELECT lower(target), ${arrives("passdb WHERE user")} FROM role_address;

  -- Where accounts forward their mail; if a target is the account itself, a copy stays. When an alias loses its last target,
  -- forwards to it are deleted.
  CREATE TABLE forward (
    account TEXT COLLATE NOCASE NOT NULL,
    target TEXT COLLATE NOCASE NOT NULL,
    PRIMARY KEY (account, target)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX forward_target ON forward (target);
  CREATE TRIGGER forwards_of_removed AFTER DELETE ON account BEGIN
    DELETE FROM forward WHERE account = old.name OR target = old.name;
  END;
  CREATE TRIGGER forwards_to_removed AFTER DELETE ON alias
  WHEN NOT EXISTS (SELECT 1 FROM alias WHERE address = old.address)
    AND NOT EXISTS (SELECT 1 FROM account WHERE name = old.address) BEGIN
    DELETE FROM forward WHERE target = old.address;
  END;

  -- Outside targets that mailbox users or the web added to forwards, and when they are no longer new. Mail that leaves through them
  -- counts as mail of the account. Past its limits the targets are paused until \`paused_until\`, and the mail stays in the mailbox.
  CREATE TABLE new_forward (
    account TEXT COLLATE NOCASE NOT NULL,
    target TEXT COLLATE NOCASE NOT NULL,
    until INTEGER NOT NULL,
    paused_until INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (account, target)
  ) STRICT, WITHOUT ROWID;

  -- Mail that has left through them.
  CREATE TABLE new_forward_sent (
    account TEXT COLLATE NOCASE NOT NULL,
    at INTEGER NOT NULL,
    recipients INTEGER NOT NULL,
    strangers INTEGER NOT NULL,
    PRIMARY KEY (account, at)
  ) STRICT, WITHOUT ROWID;
  CREATE TRIGGER new_forwards_of_removed AFTER DELETE ON account BEGIN
    DELETE FROM new_forward WHERE account = old.name;
    DELETE FROM new_forward_sent WHERE account = old.name;
  END;

  -- Every step that mail may take.
  CREATE VIEW onward (address, target) AS
    SELECT address, target FROM alias
    UNION ALL SELECT account, target FROM forward WHERE target <> account
    UNION ALL SELECT address, target FROM role_address;

  -- Where active accounts forward their mail now. A paused target is replaced by the account itself; a target that takes no mail is
  -- left out.
  CREATE VIEW forwarded (account, target) AS
    SELECT account, iif(EXISTS (
        SELECT 1 FROM new_forward
        WHERE new_forward.account = forward.account AND new_forward.target = forward.target
          AND new_forward.paused_until > (julianday('now') - 2440587.5) * 86400000
      ), account, target) FROM forward
    WHERE EXISTS (SELECT 1 FROM passdb WHERE user = account)
      AND ${arrives()};

  -- Where mail for aliases goes now. Blocked aliases, and targets that take no mail, are left out: mail accepted for them would
  -- bounce.
  CREATE VIEW expanded (alias, target) AS
    SELECT address, target FROM alias
    WHERE address NOT IN (SELECT address FROM alias_block) AND ${arrives()};

  -- What Postfix reads as virtual_alias_maps: the targets of aliases, of accounts that forward, and of role addresses. The mail
  -- of an account that is suspended stays in its mailbox: a thief may have set the forward. After a resume it is forwarded
  -- again. DISTINCT: with GROUP BY a search for one address would read all aliases and forwards.
  CREATE VIEW alias_map (address, targets) AS
    SELECT alias, (SELECT group_concat(target, ',') FROM expanded WHERE expanded.alias = one.alias)
    FROM (SELECT DISTINCT alias FROM expanded) AS one
    UNION ALL SELECT account, (SELECT group_concat(DISTINCT target) FROM forwarded WHERE forwarded.account = one.account)
    FROM (SELECT DISTINCT account FROM forwarded) AS one
    UNION ALL SELECT address, target FROM role_address WHERE ${arrives()};

  -- Accounts whose mail is stored in their mailbox, which may be full. Excludes those that forward without a copy.
  CREATE VIEW stored (user, quota_rule) AS
    SELECT user, quota_rule FROM userdb
    WHERE EXISTS (SELECT 1 FROM forwarded WHERE account = user AND target = user)
      OR NOT EXISTS (SELECT 1 FROM forwarded WHERE account = user);

  -- The one account behind an alias; an alias with more targets has no mailbox that could be full. An account that sends its
  -- mail on is not an alias of a mailbox.
  CREATE VIEW alias_userdb (address, user, quota_rule) AS
    SELECT alias_map.address, stored.user, stored.quota_rule
    FROM alias_map JOIN stored ON stored.user = alias_map.targets COLLATE NOCASE
    WHERE alias_map.address NOT IN (SELECT account FROM forward);

  -- Which logins may send as an address: the account itself, or an account that the alias names. UNION ALL: with UNION or GROUP BY
  -- a search for one address would read all aliases.
  CREATE VIEW sender_login (address, login) AS
    SELECT name, name FROM account
    UNION ALL SELECT alias.address, account.name FROM alias JOIN account ON account.name = alias.target
      WHERE alias.address NOT IN (SELECT address FROM alias_block)
    UNION ALL SELECT role_address.address, account.name FROM role_address JOIN account ON account.name = role_address.target;

  -- How many new targets mailbox users and the web added to forwards, and the web to aliases, within the last day,
  -- including refused attempts. \`of_whom\`: an account, or 'aliases' for all aliases. Kept here, so that a restart does not reset
  -- the limit.
  CREATE TABLE target_spent (
    of_whom TEXT COLLATE NOCASE NOT NULL,
    at INTEGER NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (of_whom, at)
  ) STRICT, WITHOUT ROWID;
  CREATE TRIGGER target_spent_of_removed AFTER DELETE ON account BEGIN
    DELETE FROM target_spent WHERE of_whom = old.name;
  END;

  -- Keys of accounts that have their own (docs/encryption.md). \`for_password\`: the hash of the password that opens \`locked\`. With a
  -- password that was set another way Dovecot gets no key that it cannot open, because it would refuse the sign-in. A key outlives its
  -- account, as its mail does. \`place\`: the highest is the newest.
  CREATE TABLE account_key (
    account TEXT COLLATE NOCASE NOT NULL,
    id TEXT NOT NULL,
    place INTEGER NOT NULL,
    public_key TEXT NOT NULL,
    locked TEXT NOT NULL,
    for_password TEXT NOT NULL,
    recoverable TEXT NOT NULL,
    PRIMARY KEY (account, id)
  ) STRICT, WITHOUT ROWID;

  -- The newest key comes first.
  CREATE VIEW opened_key (user, key1, key2, key3, key4, key5, key6, key7, key8) AS
    SELECT name,
      ${Array.from({ length: 8 }, (_, i) => openedKey(i)).join(",\n      ")}
    FROM account WHERE name IN (SELECT account FROM account_key);

  -- The key that encrypts an account's new mail.
  CREATE VIEW encrypting_key (user, public_key) AS
    SELECT name, (SELECT public_key FROM account_key
      WHERE account = name AND for_password = password ORDER BY place DESC LIMIT 1)
    FROM account;

  -- The administrator's values, kept here because the web may read \`engine.db\` but not this file (docs/adr/0020). \`password\`: the
  -- hash of the dashboard's password.
  CREATE TABLE admin (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    changed_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  -- Tokens of the API, known by the SHA-256 of their secret. \`scopes\`: separated by commas.
  CREATE TABLE token (
    name TEXT PRIMARY KEY,
    digest TEXT NOT NULL UNIQUE,
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    scopes TEXT NOT NULL,
    expires_at INTEGER,
    used_at INTEGER
  ) STRICT, WITHOUT ROWID;

  -- Sessions of the dashboard, known by the SHA-256 of their secret. \`proved_at\`: when the password was last given.
  -- \`account\`: the mailbox of the user; null for the administrator. The triggers end an account's sessions when its password changes
  -- or it may no longer sign in, whichever program makes the change.
  CREATE TABLE session (
    digest TEXT PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    device TEXT NOT NULL,
    ip TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    used_at INTEGER NOT NULL,
    proved_at INTEGER NOT NULL,
    account TEXT COLLATE NOCASE
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX session_account ON session (account);
  CREATE TRIGGER account_signed_out AFTER DELETE ON account BEGIN
    DELETE FROM session WHERE account = old.name;
  END;
  CREATE TRIGGER account_shut AFTER UPDATE OF password, suspended, followed ON account
  WHEN new.password <> old.password OR new.suspended > old.suspended OR new.followed IS 'unlisted' BEGIN
    DELETE FROM session WHERE account = old.name;
  END;

  -- The administrator's authenticator app (RFC 6238; docs/adr/0020). \`last_step\`: the latest time step whose code was used, so
  -- that no code is accepted twice.
  CREATE TABLE admin_totp (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    secret BLOB NOT NULL CHECK (length(secret) >= 20),
    confirmed_at INTEGER NOT NULL,
    last_step INTEGER NOT NULL
  ) STRICT;

  -- Recovery codes, known by their SHA-256; a used one stays.
  CREATE TABLE admin_recovery (
    digest TEXT PRIMARY KEY,
    made_at INTEGER NOT NULL,
    used_at INTEGER
  ) STRICT, WITHOUT ROWID;

  -- Passkeys. \`public_key\`: SPKI in DER; \`algorithm\`: its COSE number; \`counter\`: the signature counter of WebAuthn.
  CREATE TABLE admin_passkeys (
    id TEXT PRIMARY KEY,
    public_key BLOB NOT NULL,
    algorithm INTEGER NOT NULL,
    counter INTEGER NOT NULL,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    used_at INTEGER
  ) STRICT, WITHOUT ROWID;

${accountSettingsSchema}`;

/** Identifies the file. */
export const accountsApplicationId = 0x4748_6163;

/** The number of migrations is the schema version. Each later one changes the schema of the version before. Append only. */
export const accountsMigrations: readonly string[] = [baseline];
