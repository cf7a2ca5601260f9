import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { columnOf } from "../../test/kit/test-database.ts";
import { betweenTransactions, rehearsalOn, together } from "./transactions.ts";

function numbers() {
  const db = new DatabaseSync(":memory:");
  db.exec("CREATE TABLE number (n INTEGER)");
  const add = (n: number): void => void db.prepare("INSERT INTO number VALUES (?)").run(n);
  return { db, add, all: () => columnOf(db, "SELECT n FROM number") };
}

test("a change that fails half way is rolled back", () => {
  const { db, add, all } = numbers();
  const done = together(db, () => (add(1), "done"));
  assert.equal(done, "done");
  const fails = (): void => {
    add(2);
    throw new Error("half way");
  };
  assert.throws(() => together(db, fails), /half way/);
  assert.deepEqual(all(), [1]);
  assert.ok(!db.isTransaction);
});

test("a change within a rehearsal is rolled back with it", () => {
  const { db, add, all } = numbers();
  const seen = rehearsalOn(db)(() => {
    together(db, () => add(1));
    return all();
  });
  assert.deepEqual([seen, all()], [[1], []]);
});

test("a rehearsal that fails is rolled back too", () => {
  const { db, add, all } = numbers();
  const failing = () => {
    add(1);
    throw new Error("it broke");
  };
  assert.throws(() => rehearsalOn(db)(failing), /it broke/);
  assert.deepEqual([all(), db.isTransaction], [[], false]);
});

test("a direct write neither waits for the engine's transaction nor is lost with it", () => {
  const db = new DatabaseSync(":memory:");
  db.exec("CREATE TABLE t (by TEXT)");
  let commits = 0;
  const outside = betweenTransactions(db, () => {
    if (!db.isTransaction) return;
    db.exec("COMMIT");
    commits += 1;
  });
  const insert = outside.prepare("INSERT INTO t VALUES (?)");
  db.exec("BEGIN; INSERT INTO t VALUES ('engine')");
  assert.equal(insert.run("command").changes, 1);
  assert.equal(db.isTransaction, false, "it has its own transaction");
  insert.run("another");
  assert.equal(commits, 1);
  db.exec("BEGIN; INSERT INTO t VALUES ('lost'); ROLLBACK");
  const rows = outside.prepare("SELECT by FROM t").all();
  assert.equal(rows.map((row) => row["by"]).join(), "engine,command,another");
});
