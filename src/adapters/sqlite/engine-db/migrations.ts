import type { Migration } from "../migrate.ts";
import { carryOver } from "./carry-over.ts";
import { figures } from "./figures-schema.ts";
import { minutes } from "./minutes-schema.ts";

/**
 * `engine.db`: the index is the schema version; append only. Written for SQLite 3.40 (Debian 12): if an older library
 * cannot parse one view, it rejects the whole file. Times are milliseconds since the Unix epoch.
 */
export const engineMigrations: readonly Migration[] = [
  // `event.counts`: 0 no window, 1 connection, 2 mail of a stranger, 3 mail of an account, 4 failed login, 5 unknown
  // recipient, 6 unknown recipient of a mail with an empty sender. `event_subject` finds the events of a network or an
  // account up to `event_indexed.upto`; see EventIndex. `ban.answered` is the last event when the ban began or ended:
  // events up to it no longer count. `ban.first` and `ban.last` are the bounds of the network as 16 bytes, IPv4 mapped,
  // so that a network within another is found by range.
  `
  CREATE TABLE event (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    type TEXT NOT NULL,
    ip TEXT,
    prefix TEXT,
    account TEXT,
    proof TEXT,
    counts INTEGER NOT NULL,
    reason TEXT,
    count INTEGER,
    limit_count INTEGER,
    window_ms INTEGER,
    details TEXT NOT NULL,
    action TEXT NOT NULL
  ) STRICT;
  CREATE TABLE event_subject (
    subject TEXT NOT NULL,
    counts INTEGER NOT NULL,
    at INTEGER NOT NULL,
    id INTEGER NOT NULL,
    PRIMARY KEY (subject, counts, at, id)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE event_indexed (upto INTEGER NOT NULL) STRICT;
  INSERT INTO event_indexed (upto) VALUES (0);
  CREATE VIEW event_by_subject (subject, counts, at, id) AS
    SELECT subject, counts, at, id FROM event_subject
    UNION ALL SELECT prefix, counts, at, id FROM event WHERE id > (SELECT upto FROM event_indexed)
    UNION ALL SELECT account, counts, at, id FROM event WHERE id > (SELECT upto FROM event_indexed) AND counts = 3;

  CREATE TABLE event_summary (
    hour INTEGER NOT NULL,
    type TEXT NOT NULL,
    reason TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (hour, type, reason)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE ban (
    id INTEGER PRIMARY KEY,
    prefix TEXT NOT NULL,
    first BLOB NOT NULL,
    last BLOB NOT NULL,
    ip TEXT NOT NULL,
    level TEXT NOT NULL,
    code TEXT NOT NULL,
    reason TEXT NOT NULL,
    source TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    offences INTEGER NOT NULL,
    ended_at INTEGER,
    ended TEXT CHECK (ended IN ('UNBAN', 'BAN_EXPIRED', 'REPLACED')),
    ended_by TEXT,
    forgiven INTEGER NOT NULL DEFAULT 0,
    answered INTEGER NOT NULL,
    CHECK ((ended_at IS NULL) = (ended IS NULL))
  ) STRICT;
  CREATE UNIQUE INDEX ban_in_force ON ban (prefix) WHERE ended_at IS NULL;
  CREATE INDEX ban_by_network ON ban (first, last) WHERE ended_at IS NULL;
  CREATE INDEX ban_by_expiry ON ban (expires_at) WHERE ended_at IS NULL AND expires_at IS NOT NULL;
  CREATE INDEX ban_by_end ON ban (ended_at) WHERE ended_at IS NOT NULL;
  CREATE INDEX ban_by_prefix ON ban (prefix);

  CREATE TABLE ban_step (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    type TEXT NOT NULL CHECK (type IN ('add', 'delete')),
    prefix TEXT NOT NULL,
    expires_at INTEGER
  ) STRICT;

  CREATE TABLE known_address (
    prefix TEXT NOT NULL,
    account TEXT NOT NULL,
    first_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    PRIMARY KEY (prefix, account)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE allow_entry (
    prefix TEXT PRIMARY KEY,
    note TEXT NOT NULL,
    by TEXT NOT NULL,
    at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE token (
    name TEXT PRIMARY KEY,
    digest TEXT NOT NULL UNIQUE,
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE admin (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    changed_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE VIEW security_events (timestamp, ip, type, details, action_taken) AS
    SELECT strftime('%Y-%m-%dT%H:%M:%fZ', at / 1000.0, 'unixepoch'), coalesce(ip, prefix), type, details, action
    FROM event;
  `,
  // Correspondents, for greylisting. `provider_pool.networks` is separated by blanks.
  `
  CREATE TABLE correspondent (
    address TEXT NOT NULL,
    account TEXT NOT NULL,
    last_at INTEGER NOT NULL,
    PRIMARY KEY (address, account)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX correspondent_by_time ON correspondent (last_at);

  CREATE TABLE greylist_pause (
    target TEXT PRIMARY KEY,
    until INTEGER NOT NULL,
    by TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE provider_pool (
    domain TEXT PRIMARY KEY,
    networks TEXT NOT NULL,
    fetched_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  // How far logs have been read, and the senders that users always accept.
  `
  CREATE TABLE log_position (
    log TEXT PRIMARY KEY,
    inode TEXT NOT NULL,
    offset INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE spam_allow (
    account TEXT NOT NULL,
    sender TEXT NOT NULL,
    by TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (account, sender)
  ) STRICT, WITHOUT ROWID;
  `,
  // Open and recent alerts, and their deliveries in flight. `channel` null: it waits until `due_at`.
  `
  CREATE TABLE alert (
    code TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL,
    opened_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    resolved_at INTEGER
  ) STRICT;

  CREATE TABLE alert_message (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    at INTEGER NOT NULL,
    severity TEXT NOT NULL,
    code TEXT,
    subject TEXT NOT NULL,
    title TEXT NOT NULL,
    body TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE alert_delivery (
    message TEXT NOT NULL,
    channel TEXT,
    attempts INTEGER NOT NULL,
    due_at INTEGER NOT NULL
  ) STRICT;
  `,
  // Up to which line the reports of Fail2ban's jails were decided on.
  `
  CREATE TABLE jail_report (
    prefix TEXT NOT NULL,
    jail TEXT NOT NULL,
    line_at INTEGER NOT NULL,
    PRIMARY KEY (prefix, jail)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX jail_report_by_time ON jail_report (line_at);
  `,
  // Passwords that strangers tried, each with its last time, by account (in lower case) and network; the ends of
  // allow-list entries.
  `
  CREATE TABLE guess (
    account TEXT NOT NULL,
    network TEXT NOT NULL,
    proof TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (account, network, proof)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX guess_by_account ON guess (account, at);
  CREATE INDEX guess_by_network ON guess (network, at);
  CREATE INDEX guess_by_time ON guess (at);
  CREATE INDEX ban_by_first ON ban (first);

  ALTER TABLE known_address ADD COLUMN proof TEXT NOT NULL DEFAULT '';
  CREATE INDEX known_by_account ON known_address (lower(account), last_at);

  ALTER TABLE allow_entry ADD COLUMN expires_at INTEGER;
  `,
  // Good mail: mails by neighbourhood, server and day (since 1970, UTC). A wanted mail is also proven, and a proven one
  // is also accepted. `written`: an account's mail that the server accepted.
  `
  CREATE TABLE honest_mail (
    network TEXT NOT NULL,
    prefix TEXT NOT NULL,
    day INTEGER NOT NULL,
    accepted INTEGER NOT NULL,
    proven INTEGER NOT NULL,
    wanted INTEGER NOT NULL,
    written INTEGER NOT NULL,
    PRIMARY KEY (network, prefix, day)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX honest_mail_by_day ON honest_mail (day);
  `,
  // Domains to which an account here has written. `jail_report.unjudged`: the times that count towards the jail's next
  // report, separated by blanks.
  `
  ALTER TABLE jail_report ADD COLUMN unjudged TEXT NOT NULL DEFAULT '';

  CREATE INDEX correspondent_by_domain ON correspondent (substr(address, instr(address, '@') + 1));
  `,
  // An event as data; `details` and `action` are text for people. `event.rest`: JSON (core/events/rest-schemas.ts),
  // null for events of an older version. `event_name` finds the events of an account or an address (role 1, in lower
  // case), of a queue id (2) and of a Message-ID without its brackets (3), up to `event_indexed.names`; see EventNames.
  `
  ALTER TABLE event ADD COLUMN service TEXT;
  ALTER TABLE event ADD COLUMN sender TEXT;
  ALTER TABLE event ADD COLUMN recipient TEXT;
  ALTER TABLE event ADD COLUMN queue_id TEXT;
  ALTER TABLE event ADD COLUMN message_id TEXT;
  ALTER TABLE event ADD COLUMN helo TEXT;
  ALTER TABLE event ADD COLUMN size_bytes INTEGER;
  ALTER TABLE event ADD COLUMN verdict TEXT;
  ALTER TABLE event ADD COLUMN offence INTEGER;
  ALTER TABLE event ADD COLUMN limit_key TEXT;
  ALTER TABLE event ADD COLUMN actor TEXT;
  ALTER TABLE event ADD COLUMN rest TEXT;

  CREATE TABLE event_name (
    role INTEGER NOT NULL,
    name TEXT NOT NULL,
    id INTEGER NOT NULL,
    PRIMARY KEY (role, name, id)
  ) STRICT, WITHOUT ROWID;
  ALTER TABLE event_indexed ADD COLUMN names INTEGER NOT NULL DEFAULT 0;
  CREATE VIEW event_names (role, name, id, type) AS
    SELECT 1, substr(lower(account), 1, 320), id, type FROM event WHERE account <> ''
    UNION ALL SELECT 1, substr(lower(recipient), 1, 320), id, type FROM event WHERE recipient <> ''
    UNION ALL SELECT 1, substr(lower(value), 1, 320), event.id, event.type FROM event, json_each(rest, '$.targets')
      WHERE event.type = 'ALIAS_ADDED'
    UNION ALL SELECT 2, queue_id, id, type FROM event WHERE queue_id <> ''
    UNION ALL SELECT 3, substr(iif(message_id GLOB '<*>', substr(message_id, 2, length(message_id) - 2), message_id), 1, 320), id, type
      FROM event WHERE message_id <> '';
  `,
  carryOver,
  figures,
  // `event_name` also finds the events of a type (role 4).
  `
  DROP VIEW event_names;
  CREATE VIEW event_names (role, name, id, type) AS
    SELECT 1, substr(lower(account), 1, 320), id, type FROM event WHERE account <> ''
    UNION ALL SELECT 1, substr(lower(recipient), 1, 320), id, type FROM event WHERE recipient <> ''
    UNION ALL SELECT 1, substr(lower(value), 1, 320), event.id, event.type FROM event, json_each(rest, '$.targets')
      WHERE event.type = 'ALIAS_ADDED'
    UNION ALL SELECT 2, queue_id, id, type FROM event WHERE queue_id <> ''
    UNION ALL SELECT 3, substr(iif(message_id GLOB '<*>', substr(message_id, 2, length(message_id) - 2), message_id), 1, 320), id, type
      FROM event WHERE message_id <> ''
    UNION ALL SELECT 4, type, id, type FROM event;
  INSERT OR IGNORE INTO event_name (role, name, id)
    SELECT 4, type, id FROM event WHERE id <= (SELECT names FROM event_indexed) ORDER BY 1, 2, 3;
  `,
  // Large providers are recognised by the names of their servers; their SPF records are no longer read.
  "DROP TABLE provider_pool",
  // Bans that only `simulate` prevented. Decisions see them; the firewall and the lists do not.
  `
  ALTER TABLE ban ADD COLUMN simulated INTEGER NOT NULL DEFAULT 0;
  CREATE INDEX ban_simulated ON ban (source) WHERE simulated = 1;
  `,
  // The first events after the machine's clock was set back, those up to `event_indexed.upto`: from one to the next, ids and
  // times ascend together.
  `
  CREATE TABLE clock_set_back (id INTEGER PRIMARY KEY) STRICT;
  INSERT INTO clock_set_back (id)
    SELECT id FROM (SELECT id, at, lag(at) OVER (ORDER BY id) AS earlier FROM event)
    WHERE at < earlier AND id <= (SELECT upto FROM event_indexed);
  `,
  // Accounts whose mail is held, or was; and their mails in the queue. `held_mail.recipients`: whom the account has written
  // to once it is released, with blanks between them.
  `
  CREATE TABLE account_hold (
    account TEXT NOT NULL,
    at INTEGER NOT NULL,
    prefix TEXT NOT NULL,
    ip TEXT NOT NULL,
    count INTEGER NOT NULL,
    limit_count INTEGER NOT NULL,
    window_ms INTEGER NOT NULL,
    released_at INTEGER,
    PRIMARY KEY (account, at)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE held_mail (
    queue_id TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    at INTEGER NOT NULL,
    ip TEXT,
    recipient_count INTEGER NOT NULL,
    recipients TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX held_mail_by_account ON held_mail (account, at);
  `,
  // The hash (12 bits) of each account's password, from the moment it is set: a first sign-in looks right by it.
  `
  CREATE TABLE account_password (
    account TEXT PRIMARY KEY,
    proof TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  // `dropped_at`: when its mail was deleted. What its owner did not write makes no place known.
  "ALTER TABLE account_hold ADD COLUMN dropped_at INTEGER",
  // Which setting an account went past.
  "ALTER TABLE account_hold ADD COLUMN limit_key TEXT NOT NULL DEFAULT 'limits.sending.strangers'",
  // Guesses that looked right when they were tried last.
  `
  ALTER TABLE guess ADD COLUMN is_stale INTEGER NOT NULL DEFAULT 0;
  DROP INDEX guess_by_time;
  CREATE INDEX guess_by_time ON guess (at, is_stale);
  `,
  // Refusals of mail that accounts wrote to strangers, within the last hour.
  `
  CREATE TABLE refusal (
    account TEXT NOT NULL,
    at INTEGER NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (account, at)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX refusal_by_time ON refusal (at);
  `,
  // What administrators did, each entry with the hash of the one before (core/audit/chain.ts). Not by `event.id`: events
  // leave, and after a recovery their ids are given again.
  `
  CREATE TABLE audit_entry (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    actor TEXT NOT NULL,
    type TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL,
    previous TEXT NOT NULL,
    hash TEXT NOT NULL
  ) STRICT;
  `,
  minutes,
  // Another database has another name: who follows the events knows by it that ids have begun again.
  `
  CREATE TABLE database_name (name TEXT NOT NULL) STRICT;
  INSERT INTO database_name (name) VALUES (lower(hex(randomblob(8))));
  `,
];
