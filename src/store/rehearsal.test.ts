import assert from "node:assert/strict";
import { test } from "node:test";
import { databaseOnMemory } from "../../test/kit/memory-database.ts";
import { accountsMigrations } from "./accounts-db/schema.ts";
import { rehearsalOn } from "./transactions.ts";

test("the writes of a rehearsal are rolled back, even if it fails", () => {
  const db = databaseOnMemory(accountsMigrations);
  const rehearse = rehearsalOn(db);
  const write = () => db.prepare("INSERT INTO admin (key, value, changed_at) VALUES ('a', 'b', 1)").run().changes;
  assert.equal(rehearse(write), 1);
  assert.equal(rehearse(write), 1, "it was not there");
  const failing = () => {
    write();
    throw new Error("it broke");
  };
  assert.throws(() => rehearse(failing), /it broke/);
  assert.deepEqual(db.prepare("SELECT * FROM admin").all(), []);
  assert.equal(write(), 1, "no transaction was left open");
});
