import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { openFilesIn } from "../../../test/kit/files.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { eventRow, record, START } from "../../../test/kit/test-database.ts";
import { SqliteStore } from "../../store/engine-db/store.ts";
import { openEngine } from "../../store/open.ts";
import { StoreDown } from "../../surfaces/api/ports.ts";
import { createWebStore } from "./store.ts";

const newest = (store: ReturnType<typeof createWebStore>): number =>
  store.queries.events({ most: 1, order: "newest_first" }).items[0]?.id ?? 0;

function fresh() {
  const path = join(temporaryDirectory(), "engine.db");
  const changes: (string | null)[] = [];
  return { path, changes, store: createWebStore(path, (trouble) => changes.push(trouble)) };
}

test("waits for a database that the guard has not created yet, and reports it once", () => {
  const { path, changes, store } = fresh();
  for (let i = 0; i < 3; i++) assert.throws(() => newest(store), StoreDown);
  assert.equal(changes.length, 1);
  assert.match(changes[0] ?? "", /ENOENT/);
  using db = openEngine(path);
  record(new SqliteStore(db), eventRow("203.0.113.7", START));
  assert.equal(newest(store), 1);
  assert.deepEqual(changes.slice(1), [null]);
  store.close();
});

test("every query throws the same error while the database cannot be read", () => {
  const { path, store } = fresh();
  writeFileSync(path, "this is not a database");
  assert.throws(() => store.queries.bans(START, { limit: 50, cursor: null }), StoreDown);
  assert.throws(() => newest(store), StoreDown);
  assert.deepEqual(openFilesIn(dirname(path)), []);
});

test("a database that lacks a table is not kept open", () => {
  const { path, store } = fresh();
  const db = openEngine(path);
  db.exec("DROP TABLE ban_step");
  db.close();
  assert.throws(() => newest(store), StoreDown);
  assert.deepEqual(openFilesIn(dirname(path)), []);
});
