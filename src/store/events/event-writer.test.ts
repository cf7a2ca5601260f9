import assert from "node:assert/strict";
import { test } from "node:test";
import { databaseOnMemory } from "../../../test/kit/memory-database.ts";
import { columnOf, eventRow, START } from "../../../test/kit/test-database.ts";
import { engineMigrations } from "../engine-db/schema.ts";
import { EventWriter } from "./event-writer.ts";

function scene() {
  const db = databaseOnMemory(engineMigrations);
  const writer = new EventWriter(db);
  const begin = (): void => {
    db.exec("BEGIN");
    writer.begin();
  };
  const end = (how: "COMMIT" | "ROLLBACK"): void => {
    if (how === "COMMIT") writer.write();
    db.exec(how);
    writer.ended(how === "COMMIT");
  };
  const ids = () => columnOf(db, "SELECT id FROM event ORDER BY id");
  return { db, writer, begin, end, ids };
}

const STRANGERS = eventRow("203.0.113.7", START);
const ACCOUNTS = eventRow("203.0.113.8", START, { counts: "account_mail", account: "anna@example.org" });

test("events of strangers wait for the end of their transaction, but have their ids at once", () => {
  const { writer, begin, end, ids } = scene();
  begin();
  assert.deepEqual([writer.add(STRANGERS), writer.add(STRANGERS)], [1, 2]);
  assert.deepEqual(ids(), []);
  end("COMMIT");
  assert.deepEqual(ids(), [1, 2]);
});

test("no more than 32 events wait", () => {
  const { writer, begin, end, ids } = scene();
  begin();
  for (let i = 0; i < 100; i++) {
    writer.add(STRANGERS);
    assert.ok(ids().length > i - 32);
  }
  end("COMMIT");
  assert.equal(ids().length, 100);
});

test("an event of an account is written at once, after the waiting ones", () => {
  const { writer, begin, end, db, ids } = scene();
  begin();
  assert.deepEqual([writer.add(STRANGERS), writer.add(ACCOUNTS)], [1, 2]);
  assert.deepEqual(ids(), [1, 2]);
  assert.deepEqual(columnOf(db, "SELECT id FROM event WHERE account IS NOT NULL"), [2]);
  end("COMMIT");
});

test("events that wait in a lost transaction are never written, and their ids are reused", () => {
  const { writer, begin, end, ids } = scene();
  begin();
  writer.add(STRANGERS);
  end("COMMIT");
  begin();
  assert.deepEqual([writer.add(ACCOUNTS), writer.add(STRANGERS)], [2, 3]);
  end("ROLLBACK");
  assert.deepEqual(ids(), [1]);
  begin();
  assert.equal(writer.add(STRANGERS), 2);
  end("COMMIT");
  assert.deepEqual(ids(), [1, 2]);
});

test("after a failed write, writes fail until the transaction has ended, and nothing is written twice", () => {
  const { db, writer, begin, end, ids } = scene();
  db.exec(`CREATE TRIGGER full BEFORE INSERT ON event WHEN new.prefix LIKE '203.0.113.9%'
    BEGIN SELECT raise(ABORT, 'database or disk is full'); END`);
  begin();
  writer.add(STRANGERS);
  writer.add(eventRow("203.0.113.9", START));
  assert.throws(() => writer.write(), /disk is full/);
  // The reader of the database continued without it.
  assert.throws(() => writer.add(ACCOUNTS), /disk is full/);
  assert.throws(() => end("COMMIT"), /disk is full/);
  assert.deepEqual(ids(), [1], "not even in the lost transaction");
  end("ROLLBACK");
  begin();
  writer.add(STRANGERS);
  end("COMMIT");
  assert.deepEqual(ids(), [1]);
});

test("a write that failed outside a transaction does not fail the next one", () => {
  const { db, writer, ids } = scene();
  db.exec("ALTER TABLE event RENAME TO elsewhere");
  assert.throws(() => writer.add(STRANGERS), /no such table/);
  db.exec("ALTER TABLE elsewhere RENAME TO event");
  writer.add(STRANGERS);
  assert.equal(ids().length, 1);
});

test("outside a transaction an event is written at once, and a later writer continues its ids", () => {
  const { db, writer, ids } = scene();
  assert.equal(writer.add(STRANGERS), 1);
  assert.deepEqual(ids(), [1]);
  assert.equal(new EventWriter(db).add(STRANGERS), 2);
});
