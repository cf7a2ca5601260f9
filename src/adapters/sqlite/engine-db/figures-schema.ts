/**
 * Figures kept by EventTally. `event_tally.since` is the start of ten minutes, `address_tally.since` of an hour.
 * `event_total.recorded` includes events that retention removed; `event_tallied.present` counts the existing ones up to
 * `upto`. `ban_standing` lists the bans in force by age. `ban_count` is their number, including expired bans that have
 * not ended yet.
 */
export const figures = `
  CREATE TABLE event_tally (
    since INTEGER NOT NULL,
    type TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (since, type)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE event_total (
    type TEXT PRIMARY KEY,
    recorded INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE address_tally (
    since INTEGER NOT NULL,
    ip TEXT NOT NULL,
    mails INTEGER NOT NULL,
    connections INTEGER NOT NULL,
    rejected INTEGER NOT NULL,
    PRIMARY KEY (since, ip)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE event_tallied (upto INTEGER NOT NULL, present INTEGER NOT NULL) STRICT;

  INSERT INTO event_tallied (upto, present) SELECT coalesce(max(id), 0), count(*) FROM event;
  INSERT INTO event_total (type, recorded) SELECT type, count(*) FROM event GROUP BY type;
  INSERT INTO event_tally (since, type, count)
    SELECT at - at % 600000, type, count(*) FROM event WHERE at > (SELECT max(at) FROM event) - 172800000 GROUP BY 1, 2;
  INSERT INTO address_tally (since, ip, mails, connections, rejected)
    SELECT at - at % 3600000 AS hour, ip, sum(type IN ('EMAIL', 'EMAIL_BLOCKED', 'EMAIL_DEFERRED')) AS mails,
      sum(type IN ('CONNECT', 'CONNECT_REFUSED', 'CONNECT_DEFERRED')) AS connections,
      sum(type IN ('CONNECT_REFUSED', 'CONNECT_DEFERRED', 'EMAIL_BLOCKED', 'EMAIL_DEFERRED', 'LOGIN_REFUSED', 'LOGIN_FAILED'))
    FROM event
    WHERE ip IS NOT NULL AND prefix IS NOT NULL AND at > (SELECT max(at) FROM event) - 93600000
    GROUP BY hour, ip HAVING mails + connections > 0
    ORDER BY mails DESC, connections DESC LIMIT 5000;

  CREATE INDEX ban_standing ON ban (id) WHERE ended_at IS NULL;
  CREATE TABLE ban_count (
    origin TEXT PRIMARY KEY CHECK (origin IN ('engine', 'fail2ban', 'manual')),
    standing INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  INSERT INTO ban_count (origin, standing)
    SELECT column1, (SELECT count(*) FROM ban
      WHERE ended_at IS NULL AND iif(source IN ('engine', 'fail2ban'), source, 'manual') = column1)
    FROM (VALUES ('engine'), ('fail2ban'), ('manual'));
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
  `;
