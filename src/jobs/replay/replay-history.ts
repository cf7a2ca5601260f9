import { DatabaseSync } from "node:sqlite";
import { guessedName } from "../../core/decide/account-guard.ts";
import type { EventRecord } from "../../core/events/event.ts";
import { contains, networkAddress, type Prefix } from "../../core/net/ip.ts";
import { DAY_MS, later, type Millis, WEEK_MS } from "../../core/time.ts";
import type { EventProcessorParts } from "../../guard/event-processor.ts";
import type { BanLog } from "../../guard/storage-ports.ts";
import { COUNTS_CODE, millis, prefix, text } from "../../store/columns.ts";
import { sqliteAccountHistory } from "../../store/engine-db/account-history.ts";
import { sqliteBanLog } from "../../store/engine-db/ban-log.ts";
import { sqliteHonestMail } from "../../store/engine-db/honest-mail.ts";
import { sqliteNetworkHistory } from "../../store/engine-db/network-history.ts";
import { engineMigrations } from "../../store/engine-db/schema.ts";
import { sqliteSendingHistory } from "../../store/engine-db/sending-history.ts";
import { SqliteStore } from "../../store/engine-db/store.ts";
import { sqliteEventIds } from "../../store/events/event-ids.ts";
import { migrate } from "../../store/schemas.ts";

/** Beyond this, SQLite keeps pages in an unnamed file, which disappears with the process. */
const CACHE_KIB = 16_384;
/** Maximum events kept, even if windows reach further. */
const MOST_ROWS = 500_000;
const PRUNED_AT_ONCE = 10_000;
const NO_REST: EventRecord["rest"] = { event: "DISALLOW" };

/** The replay's own history: bans and windows as its decisions make them. */
export type ReplayHistory = Pick<
  EventProcessorParts,
  "store" | "history" | "bansInForce" | "jails" | "accounts" | "sending" | "honest" | "neighbours"
> &
  Readonly<{
    banLog: Pick<BanLog, "expired">;
    /** Deletes events that no window reaches any more: none is longer than a week. Call it between transactions. */
    prune(now: Millis): void;
    close(): void;
  }>;

/** A temporary history for one replay. `from`: the database whose knowledge from before `start` is copied into it. */
export function openReplayHistory(from: DatabaseSync | null, start: Millis): ReplayHistory {
  const db = new DatabaseSync("");
  db.exec(`PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; PRAGMA cache_size = -${CACHE_KIB}`);
  migrate(db, engineMigrations, 1);
  if (from !== null) copyMemory(from, db, start);
  const store = new SqliteStore(db);
  const pruned = pruneStatements(db);
  return {
    store: {
      begin: store.begin.bind(store),
      commit: store.commit.bind(store),
      rollback: store.rollback.bind(store),
      lastId: store.lastId.bind(store),
      // Windows and facts read the rest only for the recipients of accounts, so it is dropped from other records.
      append: (record) => store.append(record.counts === "account_mail" ? record : { ...record, rest: NO_REST }),
      apply: store.apply.bind(store),
    },
    history: store,
    bansInForce: store,
    jails: store,
    accounts: sqliteAccountHistory(db),
    sending: sqliteSendingHistory(db),
    honest: sqliteHonestMail(db),
    neighbours: sqliteNetworkHistory(db),
    banLog: sqliteBanLog(db),
    prune: (now) => {
      const { old } = pruned.range.get(now - WEEK_MS, PRUNED_AT_ONCE, MOST_ROWS) ?? {};
      if (typeof old !== "number") return;
      store.indexWaiting();
      db.exec("BEGIN");
      for (const statement of [pruned.prefixes, pruned.accounts, pruned.events]) statement.run(old);
      db.exec("COMMIT");
    },
    close: () => db.close(),
  };
}

/** Removes the oldest events: those outside all windows, and those above the limit. */
function pruneStatements(db: DatabaseSync) {
  const old = "FROM event WHERE id <= ?1";
  const gone = (subject: string): string =>
    `DELETE FROM event_subject WHERE (subject, counts, at, id) IN (SELECT ${subject}, counts, at, id ${old} AND ${subject} IS NOT NULL)`;
  return {
    range: db.prepare(`
      WITH ends AS (SELECT min(id) AS low, max(id) AS high FROM event)
      SELECT coalesce(
        (SELECT low + ?2 FROM ends WHERE (SELECT at FROM event WHERE id = low + ?2) < ?1),
        (SELECT low + ?2 FROM ends WHERE high - low > ?3)) AS old`),
    prefixes: db.prepare(gone("prefix")),
    accounts: db.prepare(gone("account")),
    events: db.prepare(`DELETE ${old}`),
  };
}

/**
 * Copies the knowledge of `engine.db` from before a time: sign-ins, bans, guesses, good mail, the allow list. Of the events, copies only
 * the wrong passwords of the week before, which still count.
 * Later changes are undone as far as possible: something that ended after that time has not ended yet.
 */
export function copyMemory(from: DatabaseSync, to: DatabaseSync, start: Millis): void {
  to.exec("BEGIN");
  for (const { table, columns, where, as = {} } of COPIES) {
    const names = columns.split(", ");
    const selected = names.map((name) => `${as[name] ?? name} AS ${name}`);
    const query = from.prepare(`SELECT ${selected.join(", ")} FROM ${table} WHERE ${where}`);
    query.setAllowUnknownNamedParameters(true);
    const insert = to.prepare(
      `INSERT OR IGNORE INTO ${table} (${columns}) VALUES (${names.map(() => "?").join(", ")})`,
    );
    for (const row of query.iterate({ start, day: Math.floor(start / DAY_MS) })) insert.run(...Object.values(row));
  }
  copyWrongPasswords(from, to, start);
  copyGuessesTriedAgain(from, to, start);
  to.exec("COMMIT");
}

function copyWrongPasswords(from: DatabaseSync, to: DatabaseSync, start: Millis): void {
  const ids = sqliteEventIds(from);
  const columns = "at, type, ip, prefix, account, proof, counts, details, action";
  // Events get new ids, so those that an `unban` forgave are skipped.
  const query = from.prepare(`
    SELECT ${columns} FROM event WHERE id >= ? AND id < ? AND counts = ${COUNTS_CODE.login} AND NOT EXISTS (
      SELECT 1 FROM ban WHERE ban.prefix = event.prefix AND forgiven = 1 AND ended_at < ? AND last_event >= event.id)
    ORDER BY id`);
  const insert = to.prepare(`INSERT INTO event (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  for (const row of query.iterate(ids.firstSince(later(start, -WEEK_MS)), ids.firstSince(start), start))
    insert.run(...Object.values(row));
}

/**
 * Guesses have the time of the last try. For those tried again after `start`, earlier tries are in the
 * events of that time, if they still exist.
 */
function copyGuessesTriedAgain(from: DatabaseSync, to: DatabaseSync, start: Millis): void {
  const again = new Map<string, Prefix[]>();
  const keyOf = (account: unknown, proof: unknown): string => `${text(account)} ${text(proof)}`;
  for (const row of from.prepare("SELECT account, network, proof FROM guess WHERE at >= ?").iterate(start)) {
    const key = keyOf(row["account"], row["proof"]);
    const networks = again.get(key) ?? [];
    networks.push(prefix(row["network"]));
    again.set(key, networks);
  }
  if (again.size === 0) return;
  const insert = to.prepare(`
    INSERT INTO guess (account, network, proof, at) VALUES (?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET at = excluded.at`);
  const tried = to.prepare(`
    SELECT account, prefix, proof, at FROM event
    WHERE counts = ${COUNTS_CODE.login} AND account IS NOT NULL AND prefix IS NOT NULL AND proof IS NOT NULL ORDER BY id`);
  for (const row of tried.iterate()) {
    const account = guessedName(text(row["account"]).toLowerCase());
    const address = networkAddress(prefix(row["prefix"]));
    for (const network of again.get(keyOf(account, row["proof"])) ?? [])
      if (contains(network, address)) insert.run(account, network, text(row["proof"]), millis(row["at"]));
  }
}

type Copy = Readonly<{
  table: string;
  columns: string;
  where: string;
  /** Columns as they were at that time. */
  as?: Readonly<Record<string, string>>;
}>;

const COPIES: readonly Copy[] = [
  {
    table: "known_address",
    columns: "prefix, account, first_at, last_at, proof",
    where: "first_at < $start",
    as: { last_at: "min(last_at, $start - 1)" },
  },
  {
    table: "ban",
    columns:
      "prefix, first, last, ip, level, code, reason, source, created_at, expires_at, offences, ended_at, ended, ended_by, forgiven, last_event",
    where: "simulated = 0 AND created_at < $start ORDER BY id",
    as: {
      ended_at: "iif(ended_at < $start, ended_at, NULL)",
      ended: "iif(ended_at < $start, ended, NULL)",
      ended_by: "iif(ended_at < $start, ended_by, NULL)",
      forgiven: "iif(ended_at < $start, forgiven, 0)",
      last_event: "0",
    },
  },
  // The current value: the time of the change is not stored.
  { table: "account_password", columns: "account, proof", where: "true" },
  { table: "guess", columns: "account, network, proof, at, is_stale", where: "at < $start" },
  {
    table: "account_hold",
    columns: "account, at, prefix, ip, count, limit_count, window_ms, limit_key, released_at, dropped_at",
    where: "at < $start",
    as: {
      released_at: "iif(released_at < $start, released_at, NULL)",
      dropped_at: "iif(dropped_at < $start, dropped_at, NULL)",
    },
  },
  { table: "refusal", columns: "account, at, count", where: "at < $start" },
  { table: "honest_mail", columns: "network, prefix, day, accepted, proven, wanted, written", where: "day < $day" },
  { table: "allow_entry", columns: "prefix, note, by, at, expires_at", where: "at < $start" },
];
