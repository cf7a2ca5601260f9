import type { DatabaseSync } from "node:sqlite";
import type { Notice } from "../../src/admin/declare/items.ts";
import type { NoticeCode } from "../../src/core/alerts/notices.ts";
import type { Policy } from "../../src/core/decide/policy.ts";
import type { OwnNetwork } from "../../src/core/decide/sparing.ts";
import type { EventRecord } from "../../src/core/events/event.ts";
import { instant, type Millis } from "../../src/core/time.ts";
import { type Committed, Engine } from "../../src/guard/engine.ts";
import type { Clock, Log, Notices } from "../../src/guard/ports.ts";
import { storesOn } from "../../src/programs/guard/compose-stores.ts";
import { accountsMigrations } from "../../src/store/accounts-db/schema.ts";
import { readMailboxSettings } from "../../src/store/accounts-db/setting-tables.ts";
import { sqliteAccountHistory } from "../../src/store/engine-db/account-history.ts";
import { sqliteBanLog } from "../../src/store/engine-db/ban-log.ts";
import { sqliteHeldMail } from "../../src/store/engine-db/held-mail.ts";
import { sqliteHonestMail } from "../../src/store/engine-db/honest-mail.ts";
import { sqliteNetworkHistory } from "../../src/store/engine-db/network-history.ts";
import { engineMigrations } from "../../src/store/engine-db/schema.ts";
import { sqliteSendingHistory } from "../../src/store/engine-db/sending-history.ts";
import { SqliteStore } from "../../src/store/engine-db/store.ts";
import { databaseOnMemory } from "./memory-database.ts";
import { POLICY } from "./samples.ts";

/** A clock that moves only by hand. */
export class HandClock implements Clock {
  #now: number;
  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#now = startMs;
  }
  now(): Millis {
    return instant(this.#now);
  }
  advance(byMs: number): void {
    this.#now += byMs;
  }
}

/** A log that no one reads. */
export const SILENT: Log = { info: () => undefined, warn: () => undefined, error: () => undefined };

export class NoticeBoard implements Notices {
  readonly raised = new Map<NoticeCode, string>();
  readonly about = new Map<NoticeCode, readonly string[] | undefined>();
  set(code: NoticeCode, detail: string | null, about?: readonly string[]): void {
    if (detail === null) this.raised.delete(code);
    else this.raised.set(code, detail);
    this.about.set(code, about);
  }
  list(): readonly Notice[] {
    return [...this.raised].map(([code, detail]) => {
      const about = this.about.get(code);
      return { code, since: "", says: code, detail, next: "", ...(about === undefined ? {} : { about }) };
    });
  }
}

/** A store whose next calls can be made to fail as a full disk would. */
class BreakableStore extends SqliteStore {
  failing: "begin" | "append" | "commit" | null = null;
  override begin(): void {
    this.#failIf("begin");
    super.begin();
  }
  override append(row: EventRecord): number {
    this.#failIf("append");
    return super.append(row);
  }
  override commit(): void {
    this.#failIf("commit");
    super.commit();
  }
  #failIf(step: "begin" | "append" | "commit"): void {
    if (this.failing === step) throw new Error("database or disk is full");
  }
}

/** The samples' policy for the domain of the lab; sessions may bring any number of mails. */
export const TEST_POLICY: Policy = {
  ...POLICY,
  perSession: 100,
  recipientsPerMail: 100,
  providers: ["bigmail.test"],
  domains: ["example.test"],
};

export function rowsOf(db: DatabaseSync): readonly object[] {
  const tables = db.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all();
  return tables.map(({ name }) => db.prepare(`SELECT * FROM "${String(name)}"`).all());
}

/** Everything that the guard stores, in memory; `engine`: the database of a kit's engine. */
export function accountsOnMemory(
  engine = databaseOnMemory(engineMigrations),
  clock: Clock = new HandClock(),
  commit: () => void = () => undefined,
) {
  const db = databaseOnMemory(accountsMigrations);
  return {
    ...storesOn({ engine, accounts: db }, clock, commit),
    forwardingOf: (account: string) => readMailboxSettings(db, account).forwarding,
    /** The app passwords of an account, as its owner sees them. */
    appPasswordsOf: (account: string) => readMailboxSettings(db, account).appPasswords,
    /** Every row of every table. */
    rows: () => rowsOf(db),
  };
}

/** No alerts, and no channels. */
export const NO_ALERTS = {
  test: () => Promise.resolve([]),
  book: { open: [], resolved: [] },
  channels: new Map<string, string | null>(),
  leadOut: true,
};

/** The engine's parts on its database. Every account is active and may sign in from everywhere; none forwards its mail. */
export function enginePartsOn(db: DatabaseSync, store = new SqliteStore(db)) {
  return {
    store,
    history: store,
    bansInForce: store,
    jails: store,
    queuedMail: store,
    accounts: sqliteAccountHistory(db),
    sending: sqliteSendingHistory(db),
    honest: sqliteHonestMail(db),
    neighbours: sqliteNetworkHistory(db),
    active: { isActive: () => true },
    networks: { networksOf: () => [] },
    forwardReach: { reachedBy: () => [] },
  };
}

/** A real engine on a real database in memory, with a clock moved by hand. */
export function engineOnMemory(policy: Policy = TEST_POLICY, own: readonly OwnNetwork[] = []) {
  const db = databaseOnMemory(engineMigrations);
  const store = new BreakableStore(db);
  const parts = enginePartsOn(db, store);
  const { accounts: accountHistory } = parts;
  const clock = new HandClock();
  const notices = new NoticeBoard();
  const committed: Committed[] = [];
  const lost: unknown[] = [];
  const engine = new Engine({
    ...parts,
    policy,
    own: { current: () => own },
    recipients: { exists: (address) => !address.startsWith("nobody") && !address.startsWith("admin") },
    firstContacts: { isFirstContact: () => true, isExpected: () => false },
    notices,
    clock,
    committed: (what) => committed.push(what),
    lost: (error) => lost.push(error),
  });
  const heldMail = sqliteHeldMail(db);
  const banLog = sqliteBanLog(db);
  return { engine, db, sqlite: store, banLog, accountHistory, heldMail, store, clock, notices, committed, lost };
}
