import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { rehearsalOn, together } from "./transactions.ts";

function numbers(): Readonly<{ db: DatabaseSync; add: (n: number) => void; all: () => readonly unknown[] }> {
  const db = new DatabaseSync(":memory:");
  db.exec("CREATE TABLE number (n INTEGER)");
  const add = (n: number): void => void db.prepare("INSERT INTO number VALUES (?)").run(n);
  return {
    db,
    add,
    all: () =>
      db
        .prepare("SELECT n FROM number")
        .all()
        .map(({ n }) => n),
  };
}

test("a change that fails half way is rolled back", () => {
  const { db, add, all } = numbers();
  assert.equal(
    together(db, () => (add(1), "done")),
    "done",
  );
  const fails = (): void => {
    add(2);
    throw new Error("half way");
  };
  assert.throws(() => together(db, fails), /half way/);
  assert.deepEqual(all(), [1]);
  assert.ok(!db.isTransaction);
});

test("within a rehearsal it is rolled back with it", () => {
  const { db, add, all } = numbers();
  const seen = rehearsalOn(db)(() => {
    together(db, () => add(1));
    return all();
  });
  assert.deepEqual([seen, all()], [[1], []]);
});
