import assert from "node:assert/strict";
import { renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { HandClock } from "../../../test/kit/engine-kit.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { SqliteCredentials } from "../../adapters/sqlite/accounts-db/admin.ts";
import { openEngine } from "../../adapters/sqlite/open.ts";
import { StoreDown } from "../../servers/api/ports.ts";
import { WebStore } from "./store.ts";

/** A database whose dashboard has this password hash. */
function makeDatabase(path: string, hash: string): void {
  using db = openEngine(path);
  new SqliteCredentials(db, new HandClock()).setAdminPassword(hash);
}

function fresh() {
  const path = join(temporaryDirectory(), "engine.db");
  const changes: (string | null)[] = [];
  const store = new WebStore(path, (trouble) => changes.push(trouble));
  return { path, changes, store };
}

test("it waits for a database that the guard has not made yet, and says so once", () => {
  const { path, changes, store } = fresh();
  for (let i = 0; i < 3; i++) assert.throws(() => store.credentials.adminHash(), StoreDown);
  assert.equal(changes.length, 1);
  assert.match(changes[0] ?? "", /ENOENT/);
  makeDatabase(path, "one");
  assert.equal(store.credentials.adminHash(), "one");
  assert.equal(store.credentials.tokenNamed("none"), null);
  assert.equal(changes.length, 2);
  assert.equal(changes[1], null);
  store.close();
});

test("every query throws the same while the database cannot be read", () => {
  const { path, store } = fresh();
  writeFileSync(path, "this is no database");
  assert.throws(() => store.queries.bans(new HandClock().now(), { limit: 50, cursor: null }), StoreDown);
  assert.throws(() => store.credentials.adminHash(), StoreDown);
});

test("a restored database takes the place of the old one without a restart", () => {
  const { path, store } = fresh();
  makeDatabase(path, "one");
  assert.equal(store.credentials.adminHash(), "one");
  makeDatabase(`${path}.restored`, "two");
  for (const end of ["-wal", "-shm"]) rmSync(`${path}${end}`, { force: true });
  renameSync(`${path}.restored`, path);
  assert.equal(store.credentials.adminHash(), "two");
  store.close();
});
