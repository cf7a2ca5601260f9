// Invariant: A schema has a number and only grows; a released migration is never edited.
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { accountsMigrations } from "./accounts-db/schema.ts";
import { engineMigrations } from "./engine-db/schema.ts";
import { migrate, schemaVersion } from "./schemas.ts";

const TABLES = (db: DatabaseSync): readonly unknown[] =>
  db
    .prepare("SELECT name FROM sqlite_schema ORDER BY name")
    .all()
    .map((row) => row["name"]);

test("each migration runs once, in order", () => {
  const db = new DatabaseSync(":memory:");
  const steps = ["CREATE TABLE a (x INTEGER)", "INSERT INTO a VALUES (1); ALTER TABLE a ADD COLUMN y INTEGER"];
  migrate(db, steps.slice(0, 1), 7);
  assert.equal(schemaVersion(db), 1);
  migrate(db, steps, 7);
  migrate(db, steps, 7);
  assert.equal(schemaVersion(db), 2);
  assert.deepEqual({ ...db.prepare("SELECT count(*) AS n, max(y) AS y FROM a").get() }, { n: 1, y: null });
  assert.equal(db.prepare("PRAGMA application_id").get()?.["application_id"], 7);
});

test("a migration that fails leaves the version before it, whole", () => {
  const db = new DatabaseSync(":memory:");
  const steps = ["CREATE TABLE a (x INTEGER)", "CREATE TABLE b (x INTEGER); CREATE TABLE a (x INTEGER)"];
  migrate(db, steps.slice(0, 1), 7);
  assert.throws(() => migrate(db, steps, 7), /already exists/);
  assert.equal(schemaVersion(db), 1);
  assert.deepEqual(TABLES(db), ["a"]);
  assert.equal(db.isTransaction, false);
});

test("a new file that is cut off in the middle is empty, and does not look like one of an older version", () => {
  const db = new DatabaseSync(":memory:");
  assert.throws(() => migrate(db, ["CREATE TABLE a (x INTEGER)", "CREATE TABLE a (x INTEGER)"], 7), /already exists/);
  assert.equal(schemaVersion(db), 0);
  assert.deepEqual(TABLES(db), []);
});

for (const { name, migrations, row } of [
  {
    name: "engine.db",
    migrations: engineMigrations,
    row: "INSERT INTO spam_allow VALUES ('anna', 'a@b.test', 'root', 1)",
  },
  { name: "accounts.db", migrations: accountsMigrations, row: "INSERT INTO alias VALUES ('a@b.test', 'c@d.test')" },
])
  test(`${name} is of schema 1, and a second migration keeps what is in it`, () => {
    const db = new DatabaseSync(":memory:");
    migrate(db, migrations, 7);
    assert.equal(schemaVersion(db), 1);
    db.exec(row);
    const table = row.split(" ")[2] ?? "";
    const next = [...migrations, `ALTER TABLE ${table} ADD COLUMN next INTEGER NOT NULL DEFAULT 5`];
    const before = db.prepare(`SELECT * FROM ${table}`).get();
    migrate(db, next, 7);
    assert.equal(schemaVersion(db), 2);
    assert.deepEqual({ ...db.prepare(`SELECT * FROM ${table}`).get() }, { ...before, next: 5 });
    const fresh = new DatabaseSync(":memory:");
    migrate(fresh, next, 7);
    assert.deepEqual(TABLES(db), TABLES(fresh));
  });
