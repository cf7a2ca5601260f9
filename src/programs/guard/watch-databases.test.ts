// Invariant: A damaged, removed or replaced database is set aside under a name with the time, what can be saved replaces it, and the owner is alerted.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, renameSync, rmdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { columnOf, START, scalarOf } from "../../../test/kit/test-database.ts";
import { damage, lookUntil, watchedDatabases } from "../../../test/kit/watched-databases.ts";
import { HOUR_MS, MINUTE_MS, SECOND_MS } from "../../core/time.ts";
import { isDamage, openAccountsForReading, openEngine } from "../../store/open.ts";
import { copyPath, digestPath, setAside, setAsideBeside } from "../../store/recovery/database-files.ts";
import { digest } from "../../store/recovery/salvage.ts";

const MALFORMED = Object.assign(new Error("database disk image is malformed"), { errcode: 11 });

function namesIn(path: string): readonly unknown[] {
  using db = openAccountsForReading(path);
  return columnOf(db, "SELECT name FROM account ORDER BY name");
}

test("each change of the accounts is copied", async (t) => {
  const { watch, accountsDb, addAccount } = watchedDatabases();
  addAccount("anna@example.org");
  await lookUntil(t, watch, () => assert.deepEqual(namesIn(copyPath(accountsDb)), ["anna@example.org"]));
  addAccount("bea@example.org");
  await lookUntil(t, watch, () =>
    assert.deepEqual(namesIn(copyPath(accountsDb)), ["anna@example.org", "bea@example.org"]),
  );
  rmSync(copyPath(accountsDb));
  await lookUntil(t, watch, () => assert.equal(namesIn(copyPath(accountsDb)).length, 2));
});

test("noting a use causes no copy", async (t) => {
  const { watch, accounts, uses, calls, addAccount } = watchedDatabases();
  addAccount("anna@example.org");
  await lookUntil(t, watch, () => assert.equal(calls.copies, 1));
  await new Promise((resolve) => setImmediate(resolve));
  uses.note(accounts.prepare("UPDATE account SET created_at = ? WHERE name = ?"), START, "anna@example.org");
  for (let looks = 0; looks < 3; looks++) await watch.look();
  assert.equal(calls.copies, 1);
  addAccount("bea@example.org");
  await lookUntil(t, watch, () => assert.equal(calls.copies, 2));
});

test("accounts that cannot be copied are reported, until they can", async (t) => {
  const { watch, accountsDb, addAccount, notices } = watchedDatabases();
  addAccount("anna@example.org");
  mkdirSync(`${copyPath(accountsDb)}.new`);
  await lookUntil(t, watch, () => assert.match(notices.raised.get("accounts_uncopied") ?? "", /EISDIR|directory/));
  rmdirSync(`${copyPath(accountsDb)}.new`);
  await lookUntil(t, watch, () => assert.ok(!notices.raised.has("accounts_uncopied")));
});

test("a removed database is restored, nothing is recorded until then, and the guard restarts", async () => {
  const { watch, accountsDb, addAccount, calls } = watchedDatabases();
  addAccount("anna@example.org");
  await watch.look();
  addAccount("bea@example.org");
  for (const end of ["", "-wal", "-shm"]) rmSync(`${accountsDb}${end}`);
  await watch.look();
  assert.equal(calls.restarts, 1);
  assert.match(calls.refused ?? "", /accounts\.db was removed while it was open/);
  assert.deepEqual(namesIn(accountsDb), ["anna@example.org", "bea@example.org"]);
  assert.match(setAsideBeside(accountsDb).join(), /accounts\.db\.missing-\w+$/);
  await watch.look();
  assert.equal(calls.restarts, 1);
});

test("a file that replaced an open database is set aside", async () => {
  const { watch, engineDb, engine, calls } = watchedDatabases();
  engine.exec("INSERT INTO allow_entry (prefix, note, by, at) VALUES ('192.0.2.1/32', '', 'root', 1)");
  await watch.look();
  openEngine(`${engineDb}.other`).close();
  renameSync(`${engineDb}.other`, engineDb);
  await watch.look();
  assert.equal(calls.restarts, 1);
  assert.match(setAsideBeside(engineDb).join(), /engine\.db\.replaced-\w+$/);
  using saved = openEngine(engineDb);
  assert.equal(scalarOf(saved, "SELECT count(*) FROM allow_entry"), 1);
});

test("while it cannot be restored there is a notice, and events are still recorded", async () => {
  const { watch, engineDb, calls, notices } = watchedDatabases();
  await watch.look();
  renameSync(dirname(engineDb), `${dirname(engineDb)}.elsewhere`);
  await watch.look();
  assert.ok(notices.raised.has("database_unsaved"));
  assert.deepEqual([calls.restarts, calls.refused], [0, null]);
  renameSync(`${dirname(engineDb)}.elsewhere`, dirname(engineDb));
  await watch.look();
  assert.ok(!notices.raised.has("database_unsaved"));
});

test("the next start handles a truncated database, or one that SQLite calls damaged", async () => {
  const { watch, engineDb, engine, calls } = watchedDatabases();
  engine.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  await watch.look();
  truncateSync(engineDb, 4_096);
  await watch.look();
  assert.equal(calls.restarts, 1);
  assert.ok(existsSync(`${engineDb}.is-damaged`));
});

test("an SQLite error other than damage changes nothing; damage ends the guard once", () => {
  const { watch, calls, engineDb } = watchedDatabases();
  watch.noteError(Object.assign(new Error("database or disk is full"), { errcode: 13 }));
  watch.noteError(new TypeError("a bug"));
  assert.equal(calls.restarts, 0);
  watch.noteError(MALFORMED);
  watch.noteError(MALFORMED);
  assert.equal(calls.restarts, 1);
  assert.ok(existsSync(`${engineDb}.is-damaged`), "the accounts are intact, so the other database is damaged");
});

test("damage on a disk that cannot be written ends the guard once it can be", async () => {
  const { watch, calls, engineDb, notices } = watchedDatabases();
  mkdirSync(`${engineDb}.is-damaged`);
  watch.noteError(MALFORMED);
  await watch.look();
  assert.equal(calls.restarts, 0);
  assert.match(notices.raised.get("database_unsaved") ?? "", /^engine\.db is damaged .*malformed\): EISDIR/);
  rmdirSync(`${engineDb}.is-damaged`);
  await watch.look();
  assert.equal(calls.restarts, 1);
});

test("while accounts.db cannot be checked, neither database is set aside", async () => {
  const { watch, calls, engineDb, accountsDb, accounts, notices } = watchedDatabases();
  accounts.close();
  watch.noteError(MALFORMED);
  await watch.look();
  assert.deepEqual(
    [calls.restarts, existsSync(`${engineDb}.is-damaged`), existsSync(`${accountsDb}.is-damaged`)],
    [0, false, false],
  );
  assert.match(notices.raised.get("database_unsaved") ?? "", /malformed; accounts\.db cannot be checked: .*not open/);
});

test("a disk that damages file after file does not cause restarts in a loop", () => {
  const { watch, calls, engineDb, clock } = watchedDatabases();
  for (let i = 0; i < 3; i++) {
    setAside(engineDb, "damaged", clock.now());
    clock.advance(SECOND_MS);
  }
  watch.noteError(MALFORMED);
  assert.equal(calls.restarts, 0);
  clock.advance(HOUR_MS);
  watch.noteError(MALFORMED);
  assert.equal(calls.restarts, 1);
});

test("files that were set aside are reported until they are removed, with the command", async () => {
  const { watch, accountsDb, clock, notices } = watchedDatabases();
  await watch.look();
  assert.ok(!notices.raised.has("database_set_aside"));
  const aside = `${accountsDb}.damaged-20261120T060000Z`;
  for (const end of ["", "-wal"]) writeFileSync(`${aside}${end}`, "");
  clock.advance(SECOND_MS);
  await watch.look();
  assert.equal(notices.raised.get("database_set_aside"), `accounts.db.damaged-20261120T060000Z: \`rm ${aside}*\``);
  assert.deepEqual(notices.about.get("database_set_aside"), ["accounts.db.damaged-20261120T060000Z"]);
  for (const end of ["", "-wal"]) rmSync(`${aside}${end}`);
  await watch.look();
  assert.ok(!notices.raised.has("database_set_aside"));
});

test("a digest is requested soon after the start, then every five minutes", async (t) => {
  const { watch, clock, calls } = watchedDatabases();
  await watch.look();
  assert.equal(calls.digests, 0);
  clock.advance(5 * SECOND_MS);
  await lookUntil(t, watch, () => assert.equal(calls.digests, 1));
  clock.advance(5 * MINUTE_MS - 1);
  await watch.look();
  assert.equal(calls.digests, 1);
  clock.advance(1);
  await lookUntil(t, watch, () => assert.equal(calls.digests, 2));
});

test("a digest that finds damage ends the guard; one without space is reported", async (t) => {
  const { watch, clock, engine, engineDb, notices, calls } = watchedDatabases();
  mkdirSync(`${digestPath(engineDb)}.new`);
  clock.advance(5 * SECOND_MS);
  await lookUntil(t, watch, () => assert.match(notices.raised.get("engine_undigested") ?? "", /EISDIR|directory/));
  assert.equal(calls.restarts, 0);
  rmdirSync(`${digestPath(engineDb)}.new`);
  clock.advance(MINUTE_MS);
  await lookUntil(t, watch, () => assert.ok(!notices.raised.has("engine_undigested")));
  damage(engine, engineDb, "known_address");
  clock.advance(5 * MINUTE_MS);
  await lookUntil(t, watch, () => assert.equal(calls.restarts, 1));
  assert.ok(existsSync(`${engineDb}.is-damaged`));
});

test("damage of a new digest does not count as damage of the database", () => {
  const { engine, engineDb } = watchedDatabases();
  engine.exec("INSERT INTO known_address (prefix, account, first_at, last_at) VALUES ('203.0.113.7/32', 'a@b', 1, 1)");
  const path = `${engineDb}.fresh`;
  writeFileSync(path, "a letter ".repeat(9_000));
  const isNone = (error: unknown): boolean => /not a database/.test(String(error)) && !isDamage(error);
  assert.throws(() => digested(engineDb, path), isNone);
  rmSync(path);
  damage(engine, engineDb, "known_address");
  assert.throws(() => digested(engineDb, path), isDamage);
});

/** Uses a new connection, which has nothing in memory. */
function digested(from: string, to: string): void {
  using source = new DatabaseSync(from);
  digest(source, to);
}
