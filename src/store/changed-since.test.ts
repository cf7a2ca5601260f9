import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { accountsFor, columnOf, engineFor } from "../../test/kit/test-database.ts";
import { SETTING_TABLES } from "./accounts-db/setting-tables.ts";
import { changedSince } from "./changed-since.ts";

const ENGINE = `
  CREATE TABLE event (id INTEGER PRIMARY KEY, at INTEGER);
  CREATE TABLE ban (id INTEGER PRIMARY KEY, prefix TEXT, first BLOB, ended_at INTEGER);
  CREATE TABLE allow_entry (prefix TEXT, note TEXT);`;
const ACCOUNTS = `
  CREATE TABLE account (name TEXT, password TEXT);
  CREATE TABLE alias (address TEXT, target TEXT);
  CREATE TABLE token (name TEXT, digest TEXT, used_at INTEGER);
  CREATE TABLE admin (key TEXT, value TEXT);`;

function pair(engineSql = "", accountsSql = "") {
  const [engine, accounts] = [new DatabaseSync(":memory:"), new DatabaseSync(":memory:")];
  engine.exec(ENGINE + engineSql);
  accounts.exec(ACCOUNTS + accountsSql);
  return { engine, accounts };
}
const NONE = { added: [], removed: [], changed: [] };

test("each kind of change is listed by name; a new column and a token's use do not count", () => {
  const copy = pair(
    `INSERT INTO event VALUES (1, 1); INSERT INTO ban VALUES (1, 'a', x'01', NULL), (2, 'b', x'02', NULL);
     INSERT INTO allow_entry VALUES ('n', 'same')`,
    `INSERT INTO account VALUES ('anna', 'x'), ('bert', 'x'); INSERT INTO alias VALUES ('info', 'anna');
     INSERT INTO token VALUES ('old', 'x', 1), ('used', 'y', 1); INSERT INTO admin VALUES ('password', 'x')`,
  );
  const now = pair(
    `ALTER TABLE ban ADD COLUMN simulated INTEGER NOT NULL DEFAULT 0;
     CREATE TABLE audit_entry (id INTEGER PRIMARY KEY); INSERT INTO audit_entry VALUES (1), (2);
     INSERT INTO event VALUES (1, 1), (2, 1), (3, 1);
     INSERT INTO ban VALUES (1, 'a', x'01', NULL, 0), (2, 'b', x'02', 7, 0), (3, 'c', x'03', NULL, 0), (4, 'd', x'04', NULL, 1);
     INSERT INTO allow_entry VALUES ('n', 'same')`,
    `ALTER TABLE account ADD COLUMN quota INTEGER DEFAULT 5;
     INSERT INTO account VALUES ('anna', 'y', 5), ('carl', 'x', 5); INSERT INTO alias VALUES ('info', 'carl');
     INSERT INTO token VALUES ('used', 'y', 2), ('new', 'z', 1);
     INSERT INTO admin VALUES ('password', 'y'), ('passkey_handle', 'made with the first passkey')`,
  );
  assert.deepEqual(changedSince(now, copy), {
    events: 2,
    audited: 2,
    newKeys: [],
    accounts: { added: ["carl"], removed: ["bert"], changed: ["anna"] },
    aliases: { added: ["info to carl"], removed: ["info to anna"], changed: [] },
    blockedAliases: NONE,
    bans: { added: ["c"], removed: ["b"], changed: [] },
    allowed: NONE,
    allowedSenders: NONE,
    held: NONE,
    tokens: { added: ["new"], removed: ["old"], changed: [] },
    passwords: { added: [], removed: [], changed: ["password"] },
    factors: NONE,
    ...Object.fromEntries(SETTING_TABLES.map(({ key }) => [key, NONE])),
  });
  assert.deepEqual(changedSince(copy, copy).accounts, NONE);
});

test("an account with keys that the copy lacks is named once, even if the copy has no keys at all", () => {
  const keys = (rows: string) =>
    pair("", `CREATE TABLE account_key (account TEXT, id TEXT); INSERT INTO account_key VALUES ${rows};`);
  const now = keys("('carl', 'a'), ('anna', 'a'), ('anna', 'b'), ('anna', 'c'), ('bert', 'a')");
  assert.deepEqual(changedSince(now, keys("('anna', 'a'), ('bert', 'a')")).newKeys, ["anna", "carl"]);
  assert.deepEqual(changedSince(now, pair()).newKeys, ["anna", "bert", "carl"]);
});

test("second factors are named, and their use does not count as a change, but a recovery code's does", () => {
  const tables = `
    CREATE TABLE admin_totp (secret BLOB, last_step INTEGER);
    CREATE TABLE admin_recovery (digest TEXT, used_at INTEGER);
    CREATE TABLE admin_passkeys (name TEXT, public_key BLOB, counter INTEGER);`;
  const copy = pair(
    "",
    `${tables} INSERT INTO admin_totp VALUES (x'01', 1);
     INSERT INTO admin_recovery VALUES ('0123456789', NULL), ('abcdefghij', NULL);
     INSERT INTO admin_passkeys VALUES ('Laptop', x'01', 1), ('Phone', x'02', 1)`,
  );
  const now = pair(
    "",
    `${tables} INSERT INTO admin_totp VALUES (x'01', 2);
     INSERT INTO admin_recovery VALUES ('0123456789', 5), ('abcdefghij', NULL);
     INSERT INTO admin_passkeys VALUES ('Laptop', x'01', 2), ('Key', x'03', 1)`,
  );
  const factors = { added: ["passkey Key"], removed: ["passkey Phone"], changed: ["recovery code 01234567"] };
  assert.deepEqual(changedSince(now, copy).factors, factors);
  assert.deepEqual(changedSince(now, pair()).factors.added.length, 5);
});

/** Tables that grant no one anything: records of events, the memory of decisions, and copies of settings. */
const NOT_COMPARED = `
  ${SETTING_TABLES.flatMap(({ tables: [, ...records] }) => records).join(" ")}
  allowed_networks served administrator refused_role session event_indexed
  event_subject event_name event_summary event_minute event_tallied address_tally clock_set_back ban_count
  ban_step known_address guess account_password correspondent greylist_pause honest_mail held_mail refusal log_position jail_report alert alert_message alert_delivery database_name
`.split(/\s+/);

test("every table that grants anything is compared", (t) => {
  const now = { engine: engineFor(t), accounts: accountsFor(t) };
  const copy = { engine: engineFor(t), accounts: accountsFor(t) };
  const read = new Set<string>();
  const prepare = (db: DatabaseSync) => (sql: string) => {
    for (const [, table = ""] of sql.matchAll(/\bFROM (\w+)/g)) read.add(table);
    return db.prepare(sql);
  };
  // `changedSince` uses no other method of a database.
  const noting = (db: DatabaseSync): DatabaseSync =>
    new Proxy(db, { get: (_, name) => (name === "prepare" ? prepare(db) : assert.fail(String(name))) });
  changedSince({ engine: noting(now.engine), accounts: noting(now.accounts) }, copy);
  const tables = [now.engine, now.accounts].flatMap((db) =>
    columnOf(db, "SELECT name FROM sqlite_schema WHERE type = 'table'").map(String),
  );
  const own = tables.filter((name) => !/^sqlite_|_(?:data|idx|content|docsize|config)$/.test(name));
  const left = own.filter((name) => !read.has(name) && !NOT_COMPARED.includes(name));
  assert.deepEqual(left, []);
});
