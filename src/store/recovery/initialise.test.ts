import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { openFilesIn } from "../../../test/kit/files.ts";
import { temporaryLayout } from "../../../test/kit/temporary-directory.ts";
import {
  ban,
  columnOf,
  committed,
  eventRows,
  insertRow,
  record,
  START,
  scalarOf,
} from "../../../test/kit/test-database.ts";
import { damage } from "../../../test/kit/watched-databases.ts";
import { auditRecord } from "../../core/events/command.ts";
import { isoTime, MINUTE_MS } from "../../core/time.ts";
import type { Layout } from "../../settings/layout.ts";
import { SqliteStore } from "../engine-db/store.ts";
import { sqliteAuditEntries } from "../events/audit.ts";
import { maintenanceWork } from "../maintenance/work.ts";
import { openAccounts, openEngine, UnusableDatabase } from "../open.ts";
import { copyPath, digestPath, setAsideBeside } from "./database-files.ts";
import { markDamaged, openOrRecoverEngine, openOrRestoreAccounts } from "./initialise.ts";

const ACCOUNT =
  "INSERT INTO account (name, password, suspended, created_at) VALUES ('anna@example.org', '{SHA512-CRYPT}$6$x', 0, 1)";

/** A server that ran: one ban, one allowed network, some events. */
function ran() {
  const layout = temporaryLayout("engineDb", "accountsDb", "firstStartDone");
  writeFileSync(layout.firstStartDone, "");
  const db = openEngine(layout.engineDb);
  const store = new SqliteStore(db);
  record(store, ...eventRows(5_000, "203.0.113.7", START));
  committed(store, () => ban(store, "198.51.100.7"));
  db.exec("INSERT INTO allow_entry VALUES ('192.0.2.0/24', 'office', 'root', 1, NULL)");
  db.exec("INSERT INTO event_summary VALUES (0, 'EMAIL_BLOCKED', '', 7)");
  const accounts = openAccounts(layout.accountsDb);
  accounts.exec(ACCOUNT);
  return { layout, db, store, accounts };
}

function contents(layout: Layout) {
  using db = openOrRecoverEngine(layout, START);
  const all = (sql: string) => columnOf(db, sql);
  return {
    bans: all("SELECT prefix FROM ban WHERE ended_at IS NULL"),
    allowed: all("SELECT prefix FROM allow_entry"),
    events: all("SELECT count(*) FROM event")[0],
    oldest: all("SELECT min(id) FROM event")[0],
    removed: all("SELECT sum(count) FROM event_summary")[0],
    lastEvent: all("SELECT last_event FROM ban")[0],
    check: all("PRAGMA integrity_check"),
    count: all("SELECT sum(standing) FROM ban_count")[0],
  };
}

const KEPT = { bans: ["198.51.100.7/32"], allowed: ["192.0.2.0/24"], check: ["ok"], count: 1 };
const EVENTS = { events: 5_000, oldest: 1, removed: 7, lastEvent: 5_000 };

test("an undamaged database is opened, and nothing is set aside", () => {
  const { layout, db } = ran();
  db.close();
  assert.deepEqual(contents(layout), { ...KEPT, ...EVENTS });
  assert.deepEqual(setAsideBeside(layout.engineDb), []);
});

test("the readable part of a damaged database starts a new one", () => {
  const { layout, db } = ran();
  damage(db, layout.engineDb, "known_address");
  db.close();
  assert.deepEqual(contents(layout), { ...KEPT, ...EVENTS });
  assert.equal(setAsideBeside(layout.engineDb).length, 1);
  assert.deepEqual(contents(layout), { ...KEPT, ...EVENTS }, "only once");
  assert.equal(setAsideBeside(layout.engineDb).length, 1);
});

test("a database that cannot be read at all leaves no file open", () => {
  const { layout, db } = ran();
  db.close();
  writeFileSync(layout.engineDb, "This is a letter to the editor. ".repeat(200));
  using recovered = openOrRecoverEngine(layout, START);
  assert.equal(scalarOf(recovered, "PRAGMA quick_check"), "ok");
  const [aside = ""] = setAsideBeside(layout.engineDb);
  assert.deepEqual(
    openFilesIn(dirname(aside)).filter((file) => file.startsWith(aside)),
    [],
  );
});

test("a database found damaged earlier is set aside even if the start's check passes; of very many events the newest are kept", () => {
  const { layout, db } = ran();
  const columns = "at, type, counts, details, action";
  db.exec(`INSERT INTO event (${columns}) SELECT ${columns} FROM event, (VALUES (1), (2), (3), (4)) LIMIT 15001`);
  db.close();
  markDamaged(layout.engineDb);
  assert.deepEqual(contents(layout), { ...KEPT, ...EVENTS, events: 20_000, oldest: 2 });
  assert.equal(setAsideBeside(layout.engineDb).length, 1);
});

for (const { what, removed, first } of [
  { what: "go back to the first day", removed: "id = 0", first: 0 },
  { what: "start where earlier minutes were removed", removed: "minute = 0", first: START - (START % MINUTE_MS) },
  { what: "start at zero without any minutes", removed: "id > 0", first: 0 },
])
  test(`the figures of a damaged database ${what}`, () => {
    const { layout, db } = ran();
    db.exec(`DELETE FROM event_minute WHERE ${removed}`);
    db.close();
    markDamaged(layout.engineDb);
    using again = openOrRecoverEngine(layout, START);
    assert.equal(scalarOf(again, "SELECT minute FROM event_minute ORDER BY id LIMIT 1"), first);
  });

for (const { what, does, fate } of [
  { what: "truncated", does: (path: string) => truncateSync(path, 100), fate: "damaged" },
  { what: "emptied", does: (path: string) => truncateSync(path, 0), fate: "missing" },
  { what: "overwritten", does: (path: string) => writeFileSync(path, "a letter ".repeat(9_000)), fate: "damaged" },
  { what: "gone", does: (path: string) => rmSync(path), fate: "missing" },
])
  test(`a database that is ${what} starts again from its digest, and new events count`, () => {
    const { layout, db } = ran();
    maintenanceWork(layout.engineDb).digest();
    db.close();
    for (const end of ["-wal", "-shm"]) rmSync(`${layout.engineDb}${end}`, { force: true });
    does(layout.engineDb);
    assert.deepEqual(contents(layout), { ...KEPT, events: 0, oldest: null, removed: null, lastEvent: 0 });
    assert.match(setAsideBeside(layout.engineDb)[0] ?? "", new RegExp(`\\.${fate}-`));
  });

/** Tables that are computed from others, concern events that are gone, or are filled again. */
const LEFT_OUT = /^(?:(?:alert|event|sqlite)(?:_\w+)?|address_tally|ban_count|ban_step|clock_set_back|database_name)$/;

test("every other table is in the digest", () => {
  const { layout, db } = ran();
  const names = columnOf(db, "SELECT name FROM sqlite_schema WHERE type = 'table'").map(String);
  const tables = names.filter((name) => !LEFT_OUT.test(name));
  for (const table of tables) insertRow(db, table);
  const counts = (of: typeof db) => tables.map((table) => [table, scalarOf(of, `SELECT count(*) FROM ${table}`)]);
  const before = counts(db);
  maintenanceWork(layout.engineDb).digest();
  db.close();
  rmSync(layout.engineDb);
  using again = openOrRecoverEngine(layout, START);
  again.exec("DELETE FROM audit_entry WHERE type = 'DATABASE_RECOVERED'");
  assert.deepEqual(counts(again), before);
});

test("an entry removed from the allow list after the digest does not come back", () => {
  const { layout, db } = ran();
  maintenanceWork(layout.engineDb).digest();
  db.exec("DELETE FROM allow_entry");
  db.close();
  markDamaged(layout.engineDb);
  assert.ok(existsSync(digestPath(layout.engineDb)));
  assert.deepEqual(contents(layout).allowed, []);
});

for (const { what, does, lost } of [
  { what: "damaged", does: ({ engineDb }: Layout) => markDamaged(engineDb), lost: false },
  {
    what: "gone",
    does: ({ engineDb }: Layout) => ["", "-wal", "-shm"].forEach((end) => rmSync(`${engineDb}${end}`, { force: true })),
    lost: true,
  },
])
  test(`the audit continues after a database that is ${what}, and records that; its lost part is noticed`, () => {
    const { layout, db, store } = ran();
    const obey = (subject: string) => record(store, auditRecord({ type: "TOKEN_CREATED", subject, by: "root" }, START));
    obey("one");
    maintenanceWork(layout.engineDb).digest();
    obey("two");
    const { last: id, head: hash } = sqliteAuditEntries(db).check([], START);
    db.close();
    does(layout);
    using again = openOrRecoverEngine(layout, START);
    const entries = sqliteAuditEntries(again);
    const subjects = [...entries.all()].map(({ type, subject }) => `${type} ${subject}`);
    const kept = lost ? ["TOKEN_CREATED one"] : ["TOKEN_CREATED one", "TOKEN_CREATED two"];
    assert.deepEqual(subjects, [...kept, "DATABASE_RECOVERED engine.db"]);
    assert.equal(entries.check([], START).fault, null);
    assert.equal(entries.check([{ at: isoTime(START), id, hash }], START).fault?.id, lost ? 2 : undefined);
  });

test("a first start finds no database and sets none aside", () => {
  const layout = temporaryLayout("engineDb", "accountsDb");
  openOrRecoverEngine(layout, START).close();
  openOrRestoreAccounts(layout, START).close();
  assert.deepEqual([...setAsideBeside(layout.engineDb), ...setAsideBeside(layout.accountsDb)], []);
});

for (const { what, does } of [
  { what: "damaged", does: (path: string) => writeFileSync(path, "a letter ".repeat(9_000)) },
  { what: "gone", does: (path: string) => rmSync(path) },
]) {
  test(`accounts.db that is ${what} is restored from its copy`, () => {
    const { layout, accounts } = ran();
    accounts.close();
    writeFileSync(copyPath(layout.accountsDb), readFileSync(layout.accountsDb));
    does(layout.accountsDb);
    using restored = openOrRestoreAccounts(layout, START);
    assert.equal(scalarOf(restored, "SELECT name FROM account"), "anna@example.org");
    assert.equal(setAsideBeside(layout.accountsDb).length, 1);
  });

  test(`accounts.db that is ${what} stays in place while its copy does not fit on the disk`, () => {
    const { layout, accounts } = ran();
    accounts.close();
    does(layout.accountsDb);
    // A directory cannot be copied either.
    mkdirSync(join(copyPath(layout.accountsDb), "a directory"), { recursive: true });
    assert.throws(() => openOrRestoreAccounts(layout, START));
    assert.equal(existsSync(layout.accountsDb), what === "damaged");
    assert.deepEqual(setAsideBeside(layout.accountsDb), []);
  });

  for (const [state, copy] of [
    ["without a copy", null],
    ["with an empty copy", ""],
    ["with a damaged copy", "a letter ".repeat(9_000)],
  ] as const)
    test(`accounts.db that is ${what}, ${state}: nothing is changed, and an error is thrown`, () => {
      const { layout, accounts } = ran();
      accounts.close();
      does(layout.accountsDb);
      if (copy !== null) writeFileSync(copyPath(layout.accountsDb), copy);
      const before = readdirSync(dirname(layout.accountsDb));
      assert.throws(() => openOrRestoreAccounts(layout, START), UnusableDatabase);
      assert.deepEqual(readdirSync(dirname(layout.accountsDb)), before);
    });
}

test("accounts.db that is damaged like its copy stays readable for Postfix and Dovecot", () => {
  const { layout, accounts } = ran();
  damage(accounts, layout.accountsDb, "account");
  accounts.close();
  writeFileSync(copyPath(layout.accountsDb), readFileSync(layout.accountsDb));
  assert.throws(() => openOrRestoreAccounts(layout, START), /and its copy is damaged/);
  assert.ok(existsSync(`${layout.accountsDb}-shm`), "they cannot create it");
});
