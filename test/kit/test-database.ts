import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync, SQLInputValue, SQLOutputValue } from "node:sqlite";
import type { TestContext } from "node:test";
import type { Ban } from "../../src/core/decide/decision.ts";
import { row } from "../../src/core/events/columns.ts";
import type { EventRecord } from "../../src/core/events/event.ts";
import { hostPrefix, networkAddress } from "../../src/core/net/ip.ts";
import { DAY_MS, instant, later, MINUTE_MS, type Millis } from "../../src/core/time.ts";
import type { HistoryReach, Store } from "../../src/guard/storage-ports.ts";
import { sqliteAccounts } from "../../src/store/accounts-db/accounts.ts";
import { SqliteStore } from "../../src/store/engine-db/store.ts";
import { EventCount } from "../../src/store/events/event-ids.ts";
import { Retention } from "../../src/store/events/retention.ts";
import { countSurplus } from "../../src/store/maintenance/work.ts";
import { openAccounts, openEngine, openEngineForReading } from "../../src/store/open.ts";
import { accountName, BAN, ip, net } from "./samples.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

/** Shared by the tests of the databases. */

export const START = instant(Date.UTC(2026, 10, 20, 6, 0, 0));
export const ann = accountName("ann@example.org");
export const bob = accountName("bob@example.org");
export const HASH = "{BLF-CRYPT}$2y$05$x";
/** Longest time of a search that finds all, even on a busy machine. */
export const PATIENT_MS = 10_000;

let emptyEngine: Buffer | null = null;

/** A new `engine.db`: a copy of the first one that this process made, because the schema takes 13 ms and a copy 1 ms. */
export function newEngine(path: string): DatabaseSync {
  if (emptyEngine !== null) {
    writeFileSync(path, emptyEngine, { flag: "wx", mode: 0o640 });
    return openEngine(path);
  }
  openEngine(path).close();
  emptyEngine = readFileSync(path);
  return openEngine(path);
}

/** A new `engine.db` that is closed when the test ends. */
export function engineFor(t: TestContext): DatabaseSync {
  const db = newEngine(join(temporaryDirectory(), "engine.db"));
  t.after(() => db.close());
  return db;
}

/** A new `accounts.db` that is closed when the test ends. */
export function accountsFor(t: TestContext): DatabaseSync {
  const db = openAccounts(join(temporaryDirectory(), "accounts.db"));
  t.after(() => db.close());
  return db;
}

/** A new `accounts.db` with the accounts of Ann and Bob. */
export function twoAccounts(t: TestContext, at = START) {
  const db = accountsFor(t);
  const accounts = sqliteAccounts(db);
  for (const each of [ann, bob]) accounts.add(each, HASH, at);
  return { db, accounts };
}

/** A store's answer to a change that it refuses. */
export function refused(reason: string) {
  return { ok: false, reason };
}

/** A new `engine.db`, with its writer and a connection that only reads. */
export function engineDatabase(t: TestContext) {
  const path = join(temporaryDirectory(), "engine.db");
  const db = newEngine(path);
  t.after(() => db.close());
  const store = new SqliteStore(db);
  const reader = openEngineForReading(path);
  t.after(() => reader.close());
  return { db, store, reader, committed: (work: () => void) => committed(store, work) };
}

/** Runs `work` in a transaction. */
export function committed(store: Store, work: () => void): void {
  store.begin();
  work();
  store.commit();
}

/** Commits these events together, and returns their ids. */
export function record(store: Store, ...events: readonly EventRecord[]): readonly number[] {
  const ids: number[] = [];
  committed(store, () => ids.push(...events.map((event) => store.append(event))));
  return ids;
}

/** Removes everything that is too old at `now`, in small steps. */
export function retain(db: DatabaseSync, now: Millis, events = new EventCount(db)): void {
  const limits = { maxRows: 1e6, maxBytes: 1e9, maxAgeMs: DAY_MS, windowMs: DAY_MS, offenceMs: () => DAY_MS };
  const retention = new Retention(db, events, limits);
  retention.counted(countSurplus(db, retention.staleBefore(now)), now);
  while (retention.step(now, 4));
}

/** The rows that a query returns. */
export function rowsOf(db: DatabaseSync, sql: string, ...values: readonly SQLInputValue[]) {
  const rows = db.prepare(sql).all(...values);
  return rows.map((row): readonly SQLOutputValue[] => Object.values(row));
}

/** Inserts a row with these numbers; every other column that needs a value gets 9. */
export function insertRow(db: DatabaseSync, table: string, given: Readonly<Record<string, number>> = {}): void {
  const columns = rowsOf(db, 'SELECT name, type FROM pragma_table_info(?) WHERE "notnull" OR pk', table);
  const needed = columns.map((column) => column.map(String));
  const values = needed.map(([name = "", type]) => `CAST(${given[name] ?? 9} AS ${type})`);
  db.exec(`INSERT INTO ${table} ("${needed.map(([name]) => name).join('", "')}") VALUES (${values.join()})`);
}

/** The first column of what a query returns. */
export function columnOf(db: DatabaseSync, sql: string, ...values: readonly SQLInputValue[]) {
  return rowsOf(db, sql, ...values).map(([first]) => first);
}

/** The single value that a query returns; undefined without a row. */
export function scalarOf(db: DatabaseSync, sql: string, ...values: readonly SQLInputValue[]) {
  return columnOf(db, sql, ...values)[0];
}

/** The steps by which SQLite would run a statement. */
export function planOf(db: DatabaseSync, sql: string): readonly string[] {
  return rowsOf(db, `EXPLAIN QUERY PLAN ${sql}`).map((step) => String(step.at(-1)));
}

/** What Debian's sqlite3(1) prints of the file, in another process, as Postfix and Dovecot read it. */
export function bySqlite3(db: DatabaseSync, sql: string): string {
  return execFileSync("sqlite3", ["-readonly", db.location() ?? "", sql], { encoding: "utf8" }).trim();
}

/** A connection that passed, except for the fields that the test gives. */
export function eventRow(ipText: string, at: Millis, changes: Partial<EventRecord> = {}): EventRecord {
  const client = { ip: ip(ipText), prefix: hostPrefix(ip(ipText)) };
  const decided = { service: "smtp", ...client, counts: "connection", verdict: "pass" } as const;
  const rest = { event: "CONNECT", session: `${ipText} 40000`, clientName: "mail.example.com" } as const;
  return { ...row({ at, type: "CONNECT", reason: "below_limit", ...decided }, rest), ...changes };
}

export function eventRows(count: number, ipText: string, at: Millis, changes: Partial<EventRecord> = {}) {
  return Array.from({ length: count }, () => eventRow(ipText, at, changes));
}

export function banOf(network: string, createdAt: Millis, changes: Partial<Ban> = {}): Ban {
  const prefix = net(network);
  const expiresAt = later(createdAt, 30 * MINUTE_MS);
  return { ...BAN, prefix, ip: networkAddress(prefix), createdAt, expiresAt, ...changes };
}

/** Bans a network, with these fields instead of the usual ones. */
export function ban(store: Store, network: string, at = START, changes: Partial<Ban> = {}): void {
  store.apply({ type: "BAN", ban: banOf(network, at, changes) }, at);
}

/** Lifts the ban of a network, as root does. */
export function unban(store: Store, network: string, at = START): void {
  store.apply({ type: "LIFT", prefix: net(network), cause: "UNBAN", forgiven: true, by: "root" }, at);
}

/** A reach in which every window starts at this time and holds at most this many instants. */
export function reachSince(since: Millis, most: number): HistoryReach {
  const windows = { sinceConnections: since, sinceMails: since, sinceProbes: since, sinceFailures: since };
  return { ...windows, most, mostFailures: most };
}

/** A generator that gives the same numbers for the same seed (mulberry32), each in [0, 1). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
