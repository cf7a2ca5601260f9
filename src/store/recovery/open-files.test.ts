import assert from "node:assert/strict";
import { renameSync, rmSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { eventRow, START, scratch } from "../../../test/kit/test-database.ts";
import { SqliteStore } from "../engine-db/store.ts";
import { openEngine } from "../open.ts";
import { copyDatabase, OpenFiles } from "./database-files.ts";

for (const { what, does, expected } of [
  { what: "removed", does: (path: string) => rmSync(path), expected: "gone" },
  { what: "moved away", does: (path: string) => renameSync(path, `${path}.elsewhere`), expected: "gone" },
  { what: "without its log", does: (path: string) => rmSync(`${path}-wal`), expected: "gone" },
  {
    what: "replaced",
    does: (path: string) => {
      openEngine(`${path}.other`).close();
      renameSync(`${path}.other`, path);
    },
    expected: "replaced",
  },
  { what: "truncated", does: (path: string) => truncateSync(path, 4_096), expected: "truncated" },
] as const)
  test(`a database that is ${what} is noticed`, (t) => {
    const path = join(scratch(t), "engine.db");
    const db = openEngine(path);
    const files = new OpenFiles(path);
    db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    assert.equal(files.look(), null);
    assert.equal(files.look(), null);
    does(path);
    assert.equal(files.look(), expected);
  });

test("a removed database is copied whole, with what is only in its log", async (t) => {
  const path = join(scratch(t), "engine.db");
  const db = openEngine(path);
  const store = new SqliteStore(db);
  store.begin();
  for (let i = 0; i < 100; i++) store.append(eventRow("203.0.113.7", START));
  store.commit();
  for (const end of ["", "-wal", "-shm"]) rmSync(`${path}${end}`);
  await copyDatabase(db, `${path}.saved`);
  const saved = openEngine(`${path}.saved`);
  assert.equal(saved.prepare("SELECT count(*) AS n FROM event").get()?.["n"], 100);
  assert.equal(saved.prepare("PRAGMA integrity_check").get()?.["integrity_check"], "ok");
  saved.close();
});
