import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { OLD_SCHEMAS, restoreOld } from "../../../test/kit/old-data.ts";
import { patience } from "../../../test/kit/patience.ts";
import { net, START, scratch } from "../../../test/kit/test-database.ts";
import { EVENT_TYPES } from "../../core/events/event-types.ts";
import { auditRecord } from "../../core/events/record.ts";
import { HOUR_MS, instant, later } from "../../core/time.ts";
import { whyAccount, whyMessage } from "../../engine/explain/why.ts";
import type { EventItem } from "../../wire/control/items.ts";
import { AccountLists } from "./accounts-db/accounts.ts";
import { accountsMigrations } from "./accounts-db/migrations.ts";
import { SqliteAlertEvents } from "./engine-db/alerts.ts";
import { EventNames } from "./engine-db/event-names.ts";
import { engineMigrations } from "./engine-db/migrations.ts";
import { SqliteStore } from "./engine-db/store.ts";
import { openAccounts, openEngine, openEngineForReading } from "./open.ts";
import { AuditEntries } from "./read/audit-entries.ts";
import { EventRecords } from "./read/event-records.ts";
import { SqliteQueries } from "./read/queries.ts";

/** A moment after the fixture's last event. */
const ALL = { limit: 100, cursor: null };
const THEN = instant(Date.UTC(2026, 9, 1, 10, 3));

const KINDS = {
  engine: { open: openEngine, migrations: engineMigrations },
  accounts: { open: openAccounts, migrations: accountsMigrations },
};
/** Tables whose content is not used any longer. */
const DROPPED: readonly string[] = ["provider_pool", "event_tally", "event_total"];

type Row = Record<string, unknown>;

/** A data directory of schema 8 (test/fixtures/engine-8), with the sentences of that version, opened by this version. */
function upgraded(t: TestContext) {
  const directory = scratch(t);
  const restore = (name: "engine" | "accounts"): string => restoreOld(name, join(directory, `${name}.db`));
  const path = restore("engine");
  const words = rowsOf(path, "SELECT id, at, type, ip, prefix, reason, counts, count, details, action FROM event");
  const view = rowsOf(path, "SELECT * FROM security_events");
  const bans = rowsOf(path, "SELECT * FROM ban");
  const engine = openEngine(path);
  const accounts = openAccounts(restore("accounts"));
  const reader = openEngineForReading(path);
  t.after(() => [reader, engine, accounts].forEach((db) => db.close()));
  return { path, words, view, bans, engine, accounts, queries: new SqliteQueries(reader) };
}

/** Which the version that wrote the fixture did not have. */
const LATER_TYPES: readonly string[] = `
  EMAIL_HELD ACCOUNT_RELEASED HELD_MAIL_DROPPED QUOTA_CHANGED INCIDENT QUEUE_DELETED QUEUE_HELD
  QUEUE_RELEASED FIREWALL_LOST PORTS_BLOCKED CLOCK_JUMPED LEGAL_HOLD_SET LEGAL_HOLD_LIFTED
  ACCESS_REVIEWED MAIL_KEY_MADE MAIL_KEYS_RECOVERED RECOVERY_KEY_MADE FIREWALL_TRIED
  FIREWALL_CONFIRMED FIREWALL_ROLLED_BACK SESSION_ENDED SESSION_PROVED CALLER_REFUSED
  FACTOR_ADDED FACTOR_REMOVED SECOND_FACTOR_FAILED RECOVERY_CODES_MADE RECOVERY_CODE_USED
  PASSKEY_ADDED PASSKEY_REMOVED PASSKEY_REFUSED APP_PASSWORD_MADE APP_PASSWORD_REMOVED
  FORWARDING_CHANGED VACATION_CHANGED SECOND_FACTOR_ASKED
`
  .trim()
  .split(/\s+/);

test("every event keeps its words, the view shows them, and every ban and account is there", (t) => {
  const { path, words, view, bans, engine, accounts, queries } = upgraded(t);
  assert.equal(words.length, 172);
  const known = EVENT_TYPES.filter((type) => !LATER_TYPES.includes(type));
  assert.deepEqual(new Set(words.map(({ type }) => type)), new Set(known), "the fixture has every type of its time");
  assert.deepEqual(
    rowsOf(path, "SELECT id, at, type, ip, prefix, reason, counts, count, details, action FROM event"),
    words,
  );
  assert.deepEqual(rowsOf(path, "SELECT * FROM security_events"), view);
  const as = bans.map((ban) => ({ ...ban, simulated: 0 }));
  assert.deepEqual(rowsOf(path, "SELECT * FROM ban"), as);
  assert.deepEqual(rowsOf(path, "SELECT name FROM sqlite_schema WHERE name LIKE '%provider_pool%'"), []);
  assert.deepEqual(
    queries.bans(THEN, ALL).items.map(({ prefix, level }) => `${prefix} ${level}`),
    ["203.0.113.63/32 light", "2001:db8:5::/48 manual", "203.0.113.200/32 manual"],
  );
  assert.equal(new SqliteStore(engine).ban(net("203.0.113.200"))?.expiresAt, null);
  const lists = new AccountLists(accounts);
  assert.deepEqual(
    lists.accounts(ALL).items.map(({ name }) => name),
    ["anna@example.test"],
  );
  assert.deepEqual(
    lists.aliases(ALL).items.map(({ address, targets }) => [address, targets]),
    [["info@example.test", ["anna@example.test"]]],
  );
});

test("the columns are filled from the words", (t) => {
  const { queries } = upgraded(t);
  const items = queries.events({ most: 1_000, order: "oldest_first" }).items;
  const of = (id: number): Partial<EventItem> => items.find((item) => item.id === id) ?? {};
  const filled = (id: number, ...keys: readonly (keyof EventItem)[]): readonly unknown[] =>
    keys.map((key) => of(id)[key]);
  assert.deepEqual(filled(23, "service", "sender", "recipient", "helo", "verdict"), [
    "smtp",
    "a@sender.test",
    "anna@example.test",
    "mx.sender.test",
    "pass",
  ]);
  assert.deepEqual(filled(25, "queueId", "sizeBytes"), ["72CED1EABE5", 1_234]);
  assert.deepEqual(filled(31, "service", "sender", "recipient"), ["smtp", null, null], "read in two ways, so in none");
  assert.deepEqual(filled(37, "queueId", "recipient", "reason"), ["BBBBBBBBBBB", "anna@example.test", "spam_refused"]);
  assert.deepEqual(filled(43, "verdict", "recipient"), ["lose", "anna@example.test"]);
  assert.deepEqual(filled(53, "offence", "actor"), [1, "engine"]);
  assert.deepEqual(filled(21, "actor", "verdict"), ["web:admin via 198.51.100.9", "refuse"]);
  // Of these events only their existence is known.
  const bare = items.filter(
    ({ service, verdict, actor, type }) => !service && !verdict && !actor && type !== "EMAIL_QUEUED",
  );
  assert.deepEqual(
    bare.map(({ type }) => type),
    ["SPARED"],
  );
});

test("searches find what was recorded before, at once and after its names have entered the index", (t) => {
  const { engine, queries } = upgraded(t);
  const names = new EventNames(engine);
  const look = () => {
    const story = whyAccount(queries, "Bert@example.test").timeline.map(({ id }) => id);
    const mail = whyMessage(queries, "one@sender.test");
    return { story, mail: mail.timeline.map(({ id }) => id), queueIds: mail.queueIds };
  };
  const before = look();
  for (const id of [2, 8, 9, 10, 11, 13, 14, 118, 159]) assert.ok(before.story.includes(id), `event ${id}`);
  for (const id of [31, 1, 12]) assert.ok(!before.story.includes(id), `event ${id}`);
  assert.deepEqual(before.mail, [22, 23, 24, 25, 26, 27, 28]);
  assert.deepEqual(before.queueIds, ["72CED1EABE5"]);
  while (names.step() > 0);
  assert.deepEqual(look(), before);
});

test("alerts see the last day as they did, and a replay begins with what was recorded since", (t) => {
  const { engine } = upgraded(t);
  const alerts = new SqliteAlertEvents(engine).between(0, 1_000);
  assert.deepEqual(
    alerts.filter(({ service }) => service === "dashboard").map(({ id }) => id),
    [47],
  );
  assert.deepEqual(
    alerts.filter(({ verdict }) => verdict === "mark").map(({ id }) => id),
    [36],
  );
  assert.deepEqual(
    alerts.filter(({ verdict }) => verdict === "lose").map(({ id }) => id),
    [43],
  );
  assert.equal(alerts.filter(({ type, offence }) => type === "BAN" && offence === 1).length, 5);
  assert.ok(new EventRecords(engine).after(0, 1_000).every(({ record }) => record === null));
});

test("the audit begins with the upgrade: what an older version recorded could have been anything", (t) => {
  const { engine } = upgraded(t);
  const entries = new AuditEntries(engine);
  assert.deepEqual([entries.check([], START).last, entries.check([], START).fault], [0, null]);
  const store = new SqliteStore(engine);
  store.begin();
  store.append(auditRecord({ type: "TOKEN_CREATED", subject: "nightly", by: "root" }, THEN));
  store.commit();
  assert.deepEqual([entries.check([], START).last, entries.check([], START).fault], [1, null]);
});

test("counting goes on where it was", (t) => {
  const { engine } = upgraded(t);
  const store = new SqliteStore(engine);
  const since = later(THEN, -3 * HOUR_MS);
  const reach = {
    sinceConnections: since,
    sinceMails: since,
    sinceFailures: since,
    sinceProbes: since,
    most: 100,
    mostFailures: 100,
  };
  assert.equal(store.address(net("203.0.113.51"), reach).connections.length, 20);
  assert.equal(store.accountMails("bert@example.test", since, 100).length, 10);
  assert.equal(store.address(net("203.0.113.63"), reach).ban?.code, "login_failures");
});

test("many events are carried over in seconds", (t) => {
  const path = restoreOld("engine", join(scratch(t), "engine.db"));
  const old = new DatabaseSync(path);
  old.exec(`
    INSERT INTO event (at, type, ip, prefix, account, proof, counts, reason, count, limit_count, window_ms, details, action)
    SELECT at, type, ip, prefix, account, proof, counts, reason, count, limit_count, window_ms, details, action
    FROM event, (WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300) SELECT i FROM n)`);
  const rows = Number(old.prepare("SELECT count(*) AS n FROM event").get()?.["n"]);
  old.close();
  const begun = process.threadCpuUsage();
  const db = openEngine(path);
  const { user, system } = process.threadCpuUsage(begun);
  t.after(() => db.close());
  // Of the processor's time, which other programs do not lengthen.
  const tookMs = (user + system) / 1_000;
  t.diagnostic(`${rows} events in ${Math.round(tookMs)} ms`);
  assert.ok(tookMs < patience(0.1 * rows), `${rows} events took ${tookMs} ms`);
  assert.equal(
    db.prepare("SELECT count(*) AS n FROM event WHERE type = 'BAN' AND offence IS NULL").get()?.["n"],
    3 * 301,
  );
});

for (const name of ["engine", "accounts"] as const)
  for (let schema: number = OLD_SCHEMAS[name]; schema < KINDS[name].migrations.length; schema++)
    test(`no row of ${name}.db of schema ${schema} is lost, or changed in what it had`, (t) => {
      const path = restoreOld(name, join(scratch(t), `${name}.db`), schema);
      const before = tablesOf(path);
      KINDS[name].open(path).close();
      const after = tablesOf(path);
      for (const [table, rows] of before)
        if (!DROPPED.includes(table)) assert.deepEqual(missingOf(rows, after.get(table) ?? []), [], table);
    });

/** Rows without one that has every value of theirs. What was unknown may be known now. */
function missingOf(rows: readonly Row[], among: readonly Row[]): readonly Row[] {
  const known = (row: Row): string => JSON.stringify(Object.entries(row).filter(([, value]) => value !== null));
  const same = new Set(among.map(known));
  return rows.filter(
    (row) =>
      !same.has(known(row)) &&
      !among.some((other) =>
        Object.entries(row).every(([column, value]) => value === null || isSame(other[column], value)),
      ),
  );
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** Every table with its rows. */
function tablesOf(path: string): ReadonlyMap<string, readonly Row[]> {
  const names = rowsOf(path, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'");
  return new Map(names.map(({ name }) => [String(name), rowsOf(path, `SELECT * FROM ${String(name)}`)]));
}

function rowsOf(path: string, sql: string): readonly Row[] {
  const db = new DatabaseSync(path, { readOnly: true });
  const rows = db.prepare(sql).all();
  db.close();
  return rows.map((row) => ({ ...row }));
}
