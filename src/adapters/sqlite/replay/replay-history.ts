import { DatabaseSync } from "node:sqlite";
import type { Policy } from "../../../core/decide/policy.ts";
import { longestWindowMs } from "../../../core/decide/windows.ts";
import type { EventRecord } from "../../../core/events/record.ts";
import { type Millis, WEEK_MS } from "../../../core/time.ts";
import type { ReplayHistory } from "../../../engine/replay/ports.ts";
import { SqliteAccountHistory } from "../engine-db/account-history.ts";
import { SqliteBanLog } from "../engine-db/ban-log.ts";
import { SqliteHonestMail } from "../engine-db/honest-mail.ts";
import { SqliteNetworkHistory } from "../engine-db/network-history.ts";
import { engineMigrations } from "../engine-db/schema.ts";
import { SqliteSendingHistory } from "../engine-db/sending-history.ts";
import { SqliteStore } from "../engine-db/store.ts";
import { migrate } from "../migrate.ts";
import { copyMemory } from "./copy-memory.ts";

/** Pages beyond this are kept by SQLite in an unnamed file, which disappears with the process. */
const CACHE_KIB = 16_384;
/** As many events as its windows can reach, but not more than this. */
const MOST_ROWS = 500_000;
const PRUNED_AT_ONCE = 10_000;
const NO_REST: EventRecord["rest"] = { event: "DISALLOW" };

/** A temporary history for one replay. `from`: the database whose knowledge from before `start` is copied into it. */
export function openReplayHistory(policy: Policy, from: DatabaseSync | null, start: Millis): ReplayHistory {
  const db = new DatabaseSync("");
  db.exec(`PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; PRAGMA cache_size = -${CACHE_KIB}`);
  migrate(db, engineMigrations, 1);
  if (from !== null) copyMemory(from, db, start);
  const store = new SqliteStore(db);
  const windowMs = Math.max(WEEK_MS, longestOf(policy));
  const pruned = pruneStatements(db);
  return {
    store: {
      begin: store.begin.bind(store),
      commit: store.commit.bind(store),
      rollback: store.rollback.bind(store),
      // No window or fact is read from it, except for the recipients of accounts.
      append: (record) => store.append(record.counts === "account_mail" ? record : { ...record, rest: NO_REST }),
      apply: store.apply.bind(store),
    },
    history: store,
    jails: store,
    accounts: new SqliteAccountHistory(db),
    sending: new SqliteSendingHistory(db),
    honest: new SqliteHonestMail(db),
    neighbours: new SqliteNetworkHistory(db),
    banLog: new SqliteBanLog(db),
    prune: (now) => {
      const { old } = pruned.range.get(now - windowMs, PRUNED_AT_ONCE, MOST_ROWS) ?? {};
      if (typeof old !== "number") return;
      store.settle();
      db.exec("BEGIN");
      for (const statement of [pruned.units, pruned.accounts, pruned.events]) statement.run(old);
      db.exec("COMMIT");
    },
    close: () => db.close(),
  };
}

function longestOf({ mail, sending, connections, probes, logins, accounts, networks, spraying }: Policy): number {
  const all = longestWindowMs([...mail, ...sending.recipients, ...connections, ...probes]);
  return Math.max(all, logins.windowMs, accounts.windowMs, networks.windowMs, spraying.windowMs);
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
    units: db.prepare(gone("prefix")),
    accounts: db.prepare(gone("account")),
    events: db.prepare(`DELETE ${old}`),
  };
}
