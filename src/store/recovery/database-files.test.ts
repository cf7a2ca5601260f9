import assert from "node:assert/strict";
import { readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { START } from "../../../test/kit/test-database.ts";
import { openEngine } from "../open.ts";
import { OpenFiles, setAside, setAsideBeside, timeOfName } from "./database-files.ts";

test("a database is set aside with its log, under a name with the time", () => {
  const directory = temporaryDirectory();
  const path = join(directory, "engine.db");
  for (const end of ["", "-wal", "-shm"]) writeFileSync(`${path}${end}`, end);
  const aside = setAside(path, "damaged", START);
  const name = "engine.db.damaged-20261120T060000Z";
  assert.equal(aside, join(directory, name));
  assert.deepEqual(readdirSync(directory).toSorted(), [name, `${name}-wal`]);
  assert.deepEqual(setAsideBeside(path), [aside]);
  assert.deepEqual(setAsideBeside(join(directory, "accounts.db")), []);
  assert.equal(timeOfName(aside), START);
  assert.equal(timeOfName(path), 0);
});

// watch-databases.test.ts tests removed, replaced and truncated databases.
for (const { what, does } of [
  { what: "moved away", does: (path: string) => renameSync(path, `${path}.elsewhere`) },
  { what: "without its log", does: (path: string) => rmSync(`${path}-wal`) },
])
  test(`a database that is ${what} is noticed`, () => {
    const path = join(temporaryDirectory(), "engine.db");
    const db = openEngine(path);
    const files = new OpenFiles(path);
    db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    assert.equal(files.look(), null);
    assert.equal(files.look(), null);
    does(path);
    assert.equal(files.look(), "gone");
  });
