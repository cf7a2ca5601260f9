import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import type { TestContext } from "node:test";
import type { Ban } from "../../src/core/decide/decision.ts";
import { columns } from "../../src/core/events/columns.ts";
import type { EventRecord } from "../../src/core/events/event.ts";
import { type AccountName, type Address, parseAccountName, parseAddress } from "../../src/core/net/address.ts";
import { hostPrefix, networkAddress, parseIp } from "../../src/core/net/ip.ts";
import { instant, later, MINUTE_MS, type Millis } from "../../src/core/time.ts";
import { SqliteStore } from "../../src/store/engine-db/store.ts";
import { openAccounts, openEngine, openEngineForReading } from "../../src/store/open.ts";
import { net } from "./samples.ts";

/** Shared by the tests of the databases. */

export const START = instant(Date.UTC(2026, 10, 20, 6, 0, 0));

/** A directory that is removed when the test ends. */
export function scratch(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), "ghostinbox-sqlite-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

let emptyEngine: Buffer | null = null;

/** A new `engine.db`: a copy of the first one that this process made, as its schema takes 13 ms and the copy one. */
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
  const db = newEngine(join(scratch(t), "engine.db"));
  t.after(() => db.close());
  return db;
}

/** A new `accounts.db` that is closed when the test ends. */
export function accountsFor(t: TestContext): DatabaseSync {
  const db = openAccounts(join(scratch(t), "accounts.db"));
  t.after(() => db.close());
  return db;
}

/** A new `engine.db`, with its writer and a connection that only reads. */
export function engineDatabase(t: TestContext) {
  const path = join(scratch(t), "engine.db");
  const db = newEngine(path);
  t.after(() => db.close());
  const store = new SqliteStore(db);
  const reader = openEngineForReading(path);
  t.after(() => reader.close());
  const committed = (work: () => void): void => {
    store.begin();
    work();
    store.commit();
  };
  return { db, store, reader, committed };
}

export function accountName(text: string): AccountName {
  const parsed = parseAccountName(text);
  if (parsed === null) throw new Error(`${text} cannot name an account`);
  return parsed;
}

export function mailAddress(text: string): Address {
  const parsed = parseAddress(text);
  if (parsed === null) throw new Error(`${text} is not a mail address`);
  return parsed;
}

/** A connection that passed, except for the fields that the test gives. */
export function eventRow(ipText: string, at: Millis, changes: Partial<EventRecord> = {}): EventRecord {
  const ip = parseIp(ipText);
  if (ip === null) throw new Error(`${ipText} is not an address`);
  return {
    ...columns({ at, type: "CONNECT", service: "smtp", ip, prefix: hostPrefix(ip), counts: "connection" }),
    verdict: "pass",
    reason: "below_limit",
    rest: { event: "CONNECT", session: `${ipText} 40000`, clientName: "mail.example.com" },
    ...changes,
  };
}

export function banOf(network: string, createdAt: Millis, changes: Partial<Ban> = {}): Ban {
  const prefix = net(network);
  return {
    prefix,
    ip: networkAddress(prefix),
    level: "light",
    code: "mail_limit",
    reason: "11 mails in a minute, 10 allowed",
    source: "engine",
    createdAt,
    expiresAt: later(createdAt, 30 * MINUTE_MS),
    offences: 1,
    ...changes,
  };
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
