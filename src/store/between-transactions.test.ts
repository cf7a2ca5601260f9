import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { betweenTransactions } from "./transactions.ts";

test("what is written outside the engine's transaction is neither held up nor lost with it", () => {
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
  assert.deepEqual(
    rows.map((row) => row["by"]),
    ["engine", "command", "another"],
  );
});
