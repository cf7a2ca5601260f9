/**
 * The schema of `engine.db`. Written for SQLite 3.40 (Debian 12): if an older library cannot parse one view, it rejects
 * the whole file. Times are milliseconds since the Unix epoch.
 */
const baseline = `
  -- Events. \`counts\`: the window it counts in: 0 none, 1 connection, 2 mail of a stranger, 3 mail of an account,
  -- 4 failed login, 5 unknown recipient, 6 unknown recipient of a mail with an empty sender. \`details\` and \`action\`
  -- are text for people; \`rest\` is JSON (core/events/rest-schemas.ts).
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
    action TEXT NOT NULL,
    service TEXT,
    sender TEXT,
    recipient TEXT,
    queue_id TEXT,
    message_id TEXT,
    helo TEXT,
    size_bytes INTEGER,
    verdict TEXT,
    offence INTEGER,
    limit_key TEXT,
    actor TEXT,
    rest TEXT
  ) STRICT;

  -- Events for people who read the file with sqlite3.
  CREATE VIEW security_events (timestamp, ip, type, details, action_taken) AS
    SELECT strftime('%Y-%m-%dT%H:%M:%fZ', at / 1000.0, 'unixepoch'), coalesce(ip, prefix), type, details, action
    FROM event;

  -- \`upto\`: the last event that EventIndex added to \`event_subject\`. \`names\`: the last one that sqliteEventNames added to
  -- \`event_name\`, or to \`event_subject\`.
  CREATE TABLE event_indexed (
    upto INTEGER NOT NULL,
    names INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  INSERT INTO event_indexed (upto) VALUES (0);

  -- Events by subject, which is a client's prefix or an account; see EventIndex.
  CREATE TABLE event_subject (
    subject TEXT NOT NULL,
    counts INTEGER NOT NULL,
    at INTEGER NOT NULL,
    id INTEGER NOT NULL,
    PRIMARY KEY (subject, counts, at, id)
  ) STRICT, WITHOUT ROWID;
  CREATE VIEW event_by_subject (subject, counts, at, id) AS
    SELECT subject, counts, at, id FROM event_subject
    UNION ALL SELECT prefix, counts, at, id FROM event WHERE id > (SELECT upto FROM event_indexed)
    UNION ALL SELECT account, counts, at, id FROM event WHERE id > (SELECT upto FROM event_indexed) AND counts = 3;

  -- The events of an account or an address (role 1, in lower case), of a queue id (2), of a Message-ID without its
  -- brackets (3), and of a type (4); see sqliteEventNames.
  CREATE TABLE event_name (
    role INTEGER NOT NULL,
    name TEXT NOT NULL,
    id INTEGER NOT NULL,
    PRIMARY KEY (role, name, id)
  ) STRICT, WITHOUT ROWID;
  CREATE VIEW event_names (role, name, id, type) AS
    SELECT 1, substr(lower(account), 1, 320), id, type FROM event WHERE account <> ''
    UNION ALL SELECT 1, substr(lower(recipient), 1, 320), id, type FROM event WHERE recipient <> ''
    UNION ALL SELECT 1, substr(lower(value), 1, 320), event.id, event.type FROM event, json_each(rest, '$.targets')
      WHERE event.type = 'ALIAS_ADDED'
    UNION ALL SELECT 2, queue_id, id, type FROM event WHERE queue_id <> ''
    UNION ALL SELECT 2, value, event.id, event.type FROM event, json_each(rest, '$.queueIds')
      WHERE event.type IN ('QUEUE_HELD', 'QUEUE_RELEASED', 'QUEUE_DELETED')
    UNION ALL SELECT 3, substr(iif(message_id GLOB '<*>', substr(message_id, 2, length(message_id) - 2), message_id), 1, 320), id, type
      FROM event WHERE message_id <> ''
    UNION ALL SELECT 4, type, id, type FROM event;

  -- The first event after each time the machine's clock was set back, up to \`event_indexed.upto\`. From one to the next, ids
  -- and times ascend together.
  CREATE TABLE clock_set_back (
    id INTEGER PRIMARY KEY
  ) STRICT;

  -- Events by hour, which outlast the events.
  CREATE TABLE event_summary (
    hour INTEGER NOT NULL,
    type TEXT NOT NULL,
    reason TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (hour, type, reason)
  ) STRICT, WITHOUT ROWID;

  -- Counters at the end of each minute that had events (EventMinutes). The first row holds the counts before them.
  CREATE TABLE event_minute (
    id INTEGER PRIMARY KEY,
    minute INTEGER NOT NULL,
    totals TEXT NOT NULL
  ) STRICT;
  CREATE INDEX event_minute_by_time ON event_minute (minute);
  INSERT INTO event_minute (minute, totals) VALUES (0, '{}');

  -- The last event that sqliteEventTally counted, and how many of the events up to it still exist.
  CREATE TABLE event_tallied (
    upto INTEGER NOT NULL,
    present INTEGER NOT NULL
  ) STRICT;
  INSERT INTO event_tallied (upto, present) VALUES (0, 0);

  -- What addresses did, by hour (\`since\`); see sqliteEventTally. \`failures\`: failed and refused sign-ins.
  CREATE TABLE address_tally (
    since INTEGER NOT NULL,
    ip TEXT NOT NULL,
    mails INTEGER NOT NULL,
    connections INTEGER NOT NULL,
    rejected INTEGER NOT NULL,
    failures INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (since, ip)
  ) STRICT, WITHOUT ROWID;

  -- Bans, in force or ended. \`first\` and \`last\`: the bounds of the network as 16 bytes, IPv4 mapped, so that a network
  -- within another is found by range. \`last_event\`: the last event when the ban started or ended; events up to it no longer
  -- count. \`simulated\`: 1 if only \`simulate\` prevented the ban, 2 once that has ended. Decisions see such a ban; the firewall
  -- and the lists do not.
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
    last_event INTEGER NOT NULL,
    simulated INTEGER NOT NULL DEFAULT 0,
    CHECK ((ended_at IS NULL) = (ended IS NULL))
  ) STRICT;
  CREATE UNIQUE INDEX ban_in_force ON ban (prefix) WHERE ended_at IS NULL;
  CREATE INDEX ban_by_network ON ban (first, last) WHERE ended_at IS NULL;
  CREATE INDEX ban_by_expiry ON ban (expires_at) WHERE ended_at IS NULL AND expires_at IS NOT NULL;
  CREATE INDEX ban_by_end ON ban (ended_at) WHERE ended_at IS NOT NULL;
  CREATE INDEX ban_by_prefix ON ban (prefix);
  CREATE INDEX ban_by_first ON ban (first);
  CREATE INDEX ban_standing ON ban (id) WHERE ended_at IS NULL;
  CREATE INDEX ban_simulated ON ban (source) WHERE simulated = 1;

  -- How many bans are in force, including expired ones whose end is not recorded yet.
  CREATE TABLE ban_count (
    origin TEXT PRIMARY KEY CHECK (origin IN ('engine', 'fail2ban', 'manual')),
    standing INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  INSERT INTO ban_count (origin, standing) VALUES ('engine', 0), ('fail2ban', 0), ('manual', 0);
  CREATE TRIGGER ban_begins AFTER INSERT ON ban WHEN new.ended_at IS NULL BEGIN
    UPDATE ban_count SET standing = standing + 1
    WHERE origin = iif(new.source IN ('engine', 'fail2ban'), new.source, 'manual');
  END;
  CREATE TRIGGER ban_ends AFTER UPDATE OF ended_at ON ban WHEN old.ended_at IS NULL AND new.ended_at IS NOT NULL BEGIN
    UPDATE ban_count SET standing = standing - 1
    WHERE origin = iif(old.source IN ('engine', 'fail2ban'), old.source, 'manual');
  END;
  CREATE TRIGGER ban_goes AFTER DELETE ON ban WHEN old.ended_at IS NULL BEGIN
    UPDATE ban_count SET standing = standing - 1
    WHERE origin = iif(old.source IN ('engine', 'fail2ban'), old.source, 'manual');
  END;

  -- Each start and end of a ban, in order, for the firewall (BanLog) and the page (\`banChanges\` in queries.ts).
  CREATE TABLE ban_step (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    type TEXT NOT NULL CHECK (type IN ('add', 'delete')),
    prefix TEXT NOT NULL,
    expires_at INTEGER
  ) STRICT;

  -- Networks from which accounts signed in. \`account\`: in lower case. \`proof\`: the short hash of the password of the last
  -- sign-in; empty if unknown.
  CREATE TABLE known_address (
    prefix TEXT NOT NULL,
    account TEXT NOT NULL,
    first_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    proof TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (prefix, account)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX known_by_account ON known_address (account, last_at);

  -- Networks that are never banned.
  CREATE TABLE allow_entry (
    prefix TEXT PRIMARY KEY,
    note TEXT NOT NULL,
    by TEXT NOT NULL,
    at INTEGER NOT NULL,
    expires_at INTEGER
  ) STRICT, WITHOUT ROWID;

  -- Passwords that strangers tried, by account (in lower case) and network, with the time of the last attempt. \`is_stale\`:
  -- the password looked right at that time.
  CREATE TABLE guess (
    account TEXT NOT NULL,
    network TEXT NOT NULL,
    proof TEXT NOT NULL,
    at INTEGER NOT NULL,
    is_stale INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (account, network, proof)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX guess_by_account ON guess (account, at);
  CREATE INDEX guess_by_network ON guess (network, at);
  CREATE INDEX guess_by_time ON guess (at, is_stale);

  -- The hash (12 bits) of each account's password, stored when it is set, so that even its first sign-in looks right.
  CREATE TABLE account_password (
    account TEXT PRIMARY KEY,
    proof TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;

  -- Addresses to which accounts have written, for greylisting.
  CREATE TABLE correspondent (
    address TEXT NOT NULL,
    account TEXT NOT NULL,
    last_at INTEGER NOT NULL,
    PRIMARY KEY (address, account)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX correspondent_by_time ON correspondent (last_at);
  CREATE INDEX correspondent_by_domain ON correspondent (substr(address, instr(address, '@') + 1));

  -- Addresses to which mail is not greylisted before \`until\`.
  CREATE TABLE greylist_pause (
    target TEXT PRIMARY KEY,
    until INTEGER NOT NULL,
    by TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;

  -- Good mail: mails by neighbourhood, server and day (since 1970, UTC). A wanted mail is also proven, and a proven one
  -- is also accepted. \`written\`: an account's mail that the server accepted.
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

  -- The senders that users always accept.
  CREATE TABLE spam_allow (
    account TEXT NOT NULL,
    sender TEXT NOT NULL,
    by TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (account, sender)
  ) STRICT, WITHOUT ROWID;

  -- Accounts whose mail is or was held. \`dropped_at\`: when that mail was deleted. Mail that its owner did not write makes
  -- no place known. \`limit_key\`: the setting whose limit the account exceeded.
  CREATE TABLE account_hold (
    account TEXT NOT NULL,
    at INTEGER NOT NULL,
    prefix TEXT NOT NULL,
    ip TEXT NOT NULL,
    count INTEGER NOT NULL,
    limit_count INTEGER NOT NULL,
    window_ms INTEGER NOT NULL,
    released_at INTEGER,
    dropped_at INTEGER,
    limit_key TEXT NOT NULL DEFAULT 'limits.sending.strangers',
    PRIMARY KEY (account, at)
  ) STRICT, WITHOUT ROWID;

  -- Their mails in the queue. \`recipients\`, separated by blanks, become correspondents once the account is released.
  CREATE TABLE held_mail (
    queue_id TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    at INTEGER NOT NULL,
    ip TEXT,
    recipient_count INTEGER NOT NULL,
    recipients TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX held_mail_by_account ON held_mail (account, at);

  -- Refusals of mail that accounts wrote to strangers, within the last day.
  CREATE TABLE refusal (
    account TEXT NOT NULL,
    at INTEGER NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (account, at)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX refusal_by_time ON refusal (at);

  -- How far logs have been read.
  CREATE TABLE log_position (
    log TEXT PRIMARY KEY,
    inode TEXT NOT NULL,
    offset INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  -- The time of the last line in the jail reports of Fail2ban that were decided on. \`unjudged\`: the times that count towards
  -- the jail's next report, separated by blanks.
  CREATE TABLE jail_report (
    prefix TEXT NOT NULL,
    jail TEXT NOT NULL,
    line_at INTEGER NOT NULL,
    unjudged TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (prefix, jail)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX jail_report_by_time ON jail_report (line_at);

  -- Open and recent alerts.
  CREATE TABLE alert (
    code TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL,
    opened_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    resolved_at INTEGER
  ) STRICT;

  -- The messages about them for the owner.
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

  -- Messages that are still to be sent. \`channel\` null: the message waits until \`due_at\`.
  CREATE TABLE alert_delivery (
    message TEXT NOT NULL,
    channel TEXT,
    attempts INTEGER NOT NULL,
    due_at INTEGER NOT NULL
  ) STRICT;

  -- What administrators did. Each entry has the hash of the one before (core/audit/chain.ts). Not keyed by \`event.id\`, because
  -- events are removed, and their ids are reused after a recovery.
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

  -- Each database has a different name. A program that follows the events sees by it that ids have started again.
  CREATE TABLE database_name (
    name TEXT NOT NULL
  ) STRICT;
  INSERT INTO database_name (name) VALUES (lower(hex(randomblob(8))));
`;

/** Identifies the file. */
export const engineApplicationId = 0x4748_656e;

/** The number of migrations is the schema version. Each later one changes the schema of the version before. Append only. */
export const engineMigrations: readonly string[] = [baseline];
