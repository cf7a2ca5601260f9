import type { DatabaseSync } from "node:sqlite";
import { networkAddress, type Prefix } from "../../src/core/net/ip.ts";
import { DAY_MS, HOUR_MS, type Millis } from "../../src/core/time.ts";
import { MINUTES_FOR_MS } from "../../src/guard/figures.ts";
import { boundsOf } from "../../src/store/engine-db/network-columns.ts";
import { EventIndex, sqliteEventNames } from "../../src/store/events/event-index.ts";
import { sqliteEventTally } from "../../src/store/events/event-tally.ts";
import { net } from "../kit/samples.ts";

type Filling = Readonly<{
  events: number;
  bans: number;
  /** The time of the newest event. */
  now: Millis;
  /** The time over which the events are spread. */
  spanMs?: number;
}>;

const ADDRESSES = 200_000;
/** How many addresses are kept for an hour or a day (sqliteEventTally). */
const BEST = 768;
const BUSY_ADDRESSES = 200;
const ACCOUNTS = 200;

/** Values to search for. The busiest address has a tenth of all events; rare ones have a single event or session. */
export const FILLED = {
  busiest: "11.255.0.1",
  rare: "11.253.0.1",
  account: "u7@example.test",
  rareAccount: "rare@example.test",
  rareType: "TOKEN_CREATED",
  queueId: "40000000064",
  messageId: "m100@sender.test",
} as const;

/**
 * Writes events and bans into a fresh `engine.db` directly by SQL, because through the store ten million would take an hour.
 * Twenty events in a row are one session, with one mail. Also writes the other rows that the store would write.
 */
export function fill(db: DatabaseSync, { events, bans, now, spanMs = 30 * DAY_MS }: Filling): void {
  db.exec("PRAGMA synchronous = OFF; PRAGMA cache_size = -200000; PRAGMA wal_autocheckpoint = 100000");
  db.exec(`
    INSERT INTO event (at, type, service, ip, prefix, account, sender, recipient, queue_id, message_id, helo, size_bytes,
      verdict, reason, counts, proof, rest, details, action)
    WITH RECURSIVE number (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM number WHERE i < ${events - 1}),
    slot AS (
      SELECT i, i / 20 AS s, ${now - spanMs} + cast((i + 1) * ${spanMs / events} AS INTEGER) AS at,
        ((i / 20 + 1) * 2654435761 + (i / 2560) * 40503) % 4294967291 AS h,
        CASE WHEN i = 79 THEN '${FILLED.rareType}' WHEN i % 100000 = 38 THEN 'BAN' ELSE CASE i % 20 ${TYPES.map((type, place) => `WHEN ${place} THEN '${type}'`).join(" ")} END END AS type
      FROM number),
    session AS (
      SELECT *, ${addressOf()} AS ip, printf('%X', 4398046511104 + s) AS queue, printf('<m%d@sender.test>', s) AS message,
        iif(s = ${Math.floor(events / 40)}, '${FILLED.rareAccount}', printf('u%d@example.test', h % ${ACCOUNTS})) AS account,
        printf('u%d@sender%d.test', h % 90, h % 7000) AS sender,
        type NOT IN ('EMAIL_QUEUED', 'EMAIL_DELIVERED', 'SPAM_SCORED', '${FILLED.rareType}') AS has_client,
        type IN ('RECIPIENT', 'EMAIL', 'EMAIL_ACCEPTED', 'EMAIL_BLOCKED') AS is_mail
      FROM slot)
    SELECT at, type, iif(type LIKE 'LOGIN%', 'imap', iif(has_client, 'smtp', NULL)), iif(has_client, ip, NULL),
      iif(has_client, ip || '/32', NULL), iif(type LIKE 'LOGIN%' OR (type = 'EMAIL' AND s % 3 = 0), account, NULL),
      iif(is_mail, sender, NULL), iif(is_mail OR type IN ('EMAIL_DELIVERED', 'SPAM_SCORED'), account, NULL),
      iif(type IN ('EMAIL_ACCEPTED', 'EMAIL_QUEUED', 'EMAIL_DELIVERED'), queue, NULL),
      iif(type IN ('EMAIL_QUEUED', 'SPAM_SCORED'), message, NULL), iif(type = 'RECIPIENT', 'mx.sender.test', NULL),
      iif(type = 'EMAIL_ACCEPTED', h % 90000, NULL), iif(has_client, 'pass', NULL), iif(has_client, 'below_limit', NULL),
      CASE type WHEN 'CONNECT' THEN 1 WHEN 'EMAIL' THEN iif(s % 3 = 0, 3, 2) WHEN 'LOGIN_FAILED' THEN 4 ELSE 0 END,
      iif(type = 'LOGIN_FAILED', printf('%016x', h + i % 7), NULL), '{}',
      CASE
        WHEN type LIKE 'CONNECT%' THEN printf('smtp mx%d.sender%d.test', h % 40, h % 7000)
        WHEN type LIKE 'LOGIN%' THEN printf('imap login=<%s>', account)
        WHEN type = 'EMAIL_QUEUED' THEN printf('queue_id=%s message_id=%s', queue, message)
        WHEN type = 'EMAIL_DELIVERED' THEN printf('queue_id=%s to=<%s> relay=lmtp', queue, account)
        WHEN type = 'SPAM_SCORED' THEN printf('score=1.5 required=5 message_id=%s to=<%s>', message, account)
        WHEN type = 'EMAIL_ACCEPTED'
          THEN printf('smtp from=<%s> to=<%s> size=%d queue_id=%s', sender, account, h % 90000, queue)
        ELSE printf('smtp from=<%s> to=<%s> helo=<mx%d.sender%d.test>', sender, account, h % 40, h % 7000)
      END,
      'allowed'
    FROM session`);
  enterAll(db);
  fillBans(db, bans, now);
  db.exec("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA synchronous = NORMAL; PRAGMA cache_size = -2048");
}

const TYPES = ["CONNECT", "CONNECT", "CONNECT", "CONNECT", "CONNECT_REFUSED", "RECIPIENT", "RECIPIENT", "EMAIL"].concat(
  ["EMAIL", "EMAIL_ACCEPTED", "EMAIL_QUEUED", "SPAM_SCORED", "EMAIL_DELIVERED", "CONNECT", "LOGIN_FAILED"],
  ["LOGIN_FAILED", "LOGIN_SUCCEEDED", "EMAIL_BLOCKED", "CONNECT", "CONNECT"],
);

/** A tenth of the sessions come from one address, four tenths from a few, and half from many. */
function addressOf(): string {
  return `CASE
    WHEN s = 3 THEN '${FILLED.rare}'
    WHEN s % 10 = 0 THEN '${FILLED.busiest}'
    WHEN s % 10 < 5 THEN printf('11.254.0.%d', h % ${BUSY_ADDRESSES})
    ELSE printf('11.%d.%d.%d', (h % ${ADDRESSES}) >> 16, ((h % ${ADDRESSES}) >> 8) & 255, h % ${ADDRESSES} & 255) END`;
}

/** Enters all events at once in the tables that the guard fills in batches and small steps. */
function enterAll(db: DatabaseSync): void {
  const all = Number.MAX_SAFE_INTEGER;
  const entering = new EventIndex(db);
  if (!entering.isEmpty) throw new Error("events wait for their index");
  sqliteEventNames(db).step(all);
  sqliteEventTally(db).step(all);
  keepBestAddresses(db);
  enterMinutes(db);
}

/** Keeps what the guard keeps: sums of whole days for what is older than two days, and the top addresses of each hour and day. */
function keepBestAddresses(db: DatabaseSync): void {
  const newest = Number(db.prepare("SELECT max(since) AS since FROM address_tally").get()?.["since"]);
  const first = newest - MINUTES_FOR_MS - ((newest - MINUTES_FOR_MS) % DAY_MS);
  db.exec(`
    BEGIN;
    CREATE TEMP TABLE folded AS SELECT since - since % ${DAY_MS} AS since, ip, sum(mails) AS mails,
      sum(connections) AS connections, sum(rejected) AS rejected, sum(failures) AS failures
      FROM address_tally WHERE since < ${first} GROUP BY 1, 2;
    DELETE FROM address_tally WHERE since < ${first};
    INSERT INTO address_tally (since, ip, mails, connections, rejected, failures)
      SELECT since, ip, mails, connections, rejected, failures FROM folded;
    DROP TABLE folded;
    DELETE FROM address_tally WHERE (since, ip) IN (SELECT since, ip FROM (
      SELECT since, ip, row_number() OVER (PARTITION BY since ORDER BY mails DESC, connections DESC, ip) AS place
      FROM address_tally) WHERE place > ${BEST});
    COMMIT`);
}

/** Enters what the guard keeps: for what is older than two days, only the last minute of each hour. */
function enterMinutes(db: DatabaseSync): void {
  const insert = db.prepare("INSERT INTO event_minute (minute, totals) VALUES (?, ?)");
  const newest = Number(db.prepare("SELECT max(at) AS at FROM event").get()?.["at"]);
  const totals: Record<string, number> = {};
  let minute = 0;
  const write = (next: number): void => {
    const isLast = next - (next % HOUR_MS) > minute;
    if (minute > 0 && (isLast || minute > newest - MINUTES_FOR_MS)) insert.run(minute, JSON.stringify(totals));
    minute = next;
  };
  db.exec("BEGIN");
  const rows = db.prepare("SELECT at - at % 60000 AS minute, type, count(*) AS n FROM event GROUP BY 1, 2 ORDER BY 1");
  for (const row of rows.iterate()) {
    if (row["minute"] !== minute) write(Number(row["minute"]));
    totals[String(row["type"])] = (totals[String(row["type"])] ?? 0) + Number(row["n"]);
  }
  write(Number.MAX_SAFE_INTEGER);
  db.exec("COMMIT");
}

/** Inserts this many bans in force, and as many that have ended. */
function fillBans(db: DatabaseSync, bans: number, now: Millis): void {
  const insert = db.prepare(`
    INSERT INTO ban (prefix, first, last, ip, level, code, reason, source, created_at, expires_at, offences, ended_at, ended, last_event)
    VALUES (?, ?, ?, ?, 'heavy', 'mail_limit', 'Too many mails: 11 within 1m, limit 10', ?, ?, ?, 3, ?, ?, 0)`);
  db.exec("BEGIN");
  for (let i = 0; i < 2 * bans; i++) {
    const prefix = bannedNetwork(i >> 1);
    const { first, last } = boundsOf(prefix);
    const end = i % 2 === 0 ? [now - HOUR_MS, "BAN_EXPIRED"] : [null, null];
    const source = ["engine", "engine", "fail2ban", "root"][(i >> 1) % 4] ?? "engine";
    insert.run(prefix, first, last, networkAddress(prefix), source, now - 2 * HOUR_MS, now + DAY_MS + i, ...end);
  }
  db.exec("COMMIT");
}

/** The banned networks, a tenth of which are IPv6. */
export function bannedNetwork(i: number): Prefix {
  if (i % 10 !== 0) return net(`11.${i >> 16}.${(i >> 8) & 255}.${i & 255}`);
  return net(`2001:db8:${i.toString(16).padStart(5, "0").replace(/(.)$/, ":$1")}::/64`);
}
