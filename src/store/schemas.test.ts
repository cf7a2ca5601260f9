// Invariant: A schema has a number and only grows; a released migration is never edited.
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { temporaryLayout } from "../../test/kit/temporary-directory.ts";
import { columnOf, scalarOf } from "../../test/kit/test-database.ts";
import { UnusableDatabase } from "./open.ts";
import { initialise } from "./recovery/initialise.ts";
import { migrate, schemasOf, schemaVersion, unusableSchema } from "./schemas.ts";

/** Both databases, each with its schema; null if it is missing. */
function databases(engine: number | null, accounts: number | null) {
  const layout = temporaryLayout("engineDb", "accountsDb");
  const write = (path: string, version: number | null): void => {
    if (version === null) return;
    using db = new DatabaseSync(path);
    db.exec(`CREATE TABLE t (x); PRAGMA user_version = ${version}`);
  };
  write(layout.engineDb, engine);
  write(layout.accountsDb, accounts);
  return layout;
}

test("the versions are those of the files, even if only the write-ahead log has them", () => {
  const layout = databases(7, 3);
  const [engine, accounts] = schemasOf(layout);
  assert.deepEqual([engine?.path, engine?.version], [layout.engineDb, 7]);
  assert.deepEqual([accounts?.path, accounts?.version], [layout.accountsDb, 3]);
  using writer = new DatabaseSync(layout.engineDb);
  writer.exec("PRAGMA journal_mode = WAL; PRAGMA user_version = 8");
  assert.equal(readFileSync(layout.engineDb).readUInt32BE(60), 7, "the header of the file itself");
  assert.equal(schemasOf(layout)[0]?.version, 8);
});

test("a missing, empty or damaged file has no version", () => {
  const layout = databases(null, null);
  assert.deepEqual(schemasOf(layout), []);
  writeFileSync(layout.engineDb, "");
  writeFileSync(layout.accountsDb, "not a database ".repeat(100));
  assert.deepEqual(schemasOf(layout), []);
});

test("a database that a newer program wrote is named, and neither database is changed", () => {
  const layout = databases(1_000, null);
  const says = unusableSchema(schemasOf(layout)) ?? "";
  assert.match(says, /engine\.db was written by a newer .* \(its schema is 1000, this .*\.$/);
  const before = readFileSync(layout.engineDb);
  const isNewer = (error: unknown) => error instanceof UnusableDatabase && error.code === "other_version";
  assert.throws(() => initialise(layout), isNewer);
  assert.deepEqual(readFileSync(layout.engineDb), before);
  assert.ok(!existsSync(layout.accountsDb), "the other one is not even created");
  assert.equal(unusableSchema(schemasOf(databases(1, 1))), null);
});

const TABLES = (db: DatabaseSync): readonly unknown[] => columnOf(db, "SELECT name FROM sqlite_schema ORDER BY name");

test("each migration runs once, in order", () => {
  const db = new DatabaseSync(":memory:");
  const steps = ["CREATE TABLE a (x INTEGER)", "INSERT INTO a VALUES (1); ALTER TABLE a ADD COLUMN y INTEGER"];
  migrate(db, steps.slice(0, 1), 7);
  assert.equal(schemaVersion(db), 1);
  migrate(db, steps, 7);
  migrate(db, steps, 7);
  assert.equal(schemaVersion(db), 2);
  assert.deepEqual({ ...db.prepare("SELECT count(*) AS n, max(y) AS y FROM a").get() }, { n: 1, y: null });
  assert.equal(scalarOf(db, "PRAGMA application_id"), 7);
});

test("a failed migration leaves the previous version intact", () => {
  const db = new DatabaseSync(":memory:");
  const steps = ["CREATE TABLE a (x INTEGER)", "CREATE TABLE b (x INTEGER); CREATE TABLE a (x INTEGER)"];
  migrate(db, steps.slice(0, 1), 7);
  assert.throws(() => migrate(db, steps, 7), /already exists/);
  assert.equal(schemaVersion(db), 1);
  assert.deepEqual(TABLES(db), ["a"]);
  assert.equal(db.isTransaction, false);
});

test("a failed creation leaves an empty file, which does not look like an older version", () => {
  const db = new DatabaseSync(":memory:");
  assert.throws(() => migrate(db, ["CREATE TABLE a (x INTEGER)", "CREATE TABLE a (x INTEGER)"], 7), /already exists/);
  assert.equal(schemaVersion(db), 0);
  assert.deepEqual(TABLES(db), []);
});
