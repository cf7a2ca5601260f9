import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { temporaryDirectory } from "../../test/kit/temporary-directory.ts";
import { layoutOf } from "../settings/layout.ts";
import { UnusableDatabase } from "./open.ts";
import { initialise } from "./recovery/initialise.ts";
import { schemasOf, unusableSchema } from "./schemas.ts";

/** Both databases with their own schema; null: missing. */
function databases(engine: number | null, accounts: number | null) {
  const layout = layoutOf(temporaryDirectory());
  for (const [path, version] of [
    [layout.engineDb, engine],
    [layout.accountsDb, accounts],
  ] as const) {
    mkdirSync(dirname(path), { recursive: true });
    if (version === null) continue;
    using db = new DatabaseSync(path);
    db.exec(`CREATE TABLE t (x); PRAGMA user_version = ${version}`);
  }
  return layout;
}

test("the versions are those of the files, even if only the write-ahead log has them", (t) => {
  const layout = databases(7, 3);
  const [engine, accounts] = schemasOf(layout);
  assert.deepEqual([engine?.path, engine?.version], [layout.engineDb, 7]);
  assert.deepEqual([accounts?.path, accounts?.version], [layout.accountsDb, 3]);
  const writer = new DatabaseSync(layout.engineDb);
  t.after(() => writer.close());
  writer.exec("PRAGMA journal_mode = WAL; PRAGMA user_version = 8");
  assert.equal(readFileSync(layout.engineDb).readUInt32BE(60), 7, "the header of the file itself");
  assert.equal(schemasOf(layout)[0]?.version, 8);
});

test("what is missing, empty or damaged has none", () => {
  const layout = databases(null, null);
  assert.deepEqual(schemasOf(layout), []);
  writeFileSync(layout.engineDb, "");
  writeFileSync(layout.accountsDb, "not a database ".repeat(100));
  assert.deepEqual(schemasOf(layout), []);
});

test("one that a newer program wrote is named, and neither is changed", () => {
  const layout = databases(1_000, null);
  assert.match(
    unusableSchema(schemasOf(layout)) ?? "",
    /engine\.db was written by a newer .* \(its schema is 1000, this .*\.$/,
  );
  const before = readFileSync(layout.engineDb);
  assert.throws(
    () => initialise(layout),
    (error) => error instanceof UnusableDatabase && error.code === "other_version",
  );
  assert.deepEqual(readFileSync(layout.engineDb), before);
  assert.ok(!existsSync(layout.accountsDb), "the other one is not even made");
  assert.equal(unusableSchema(schemasOf(databases(1, 1))), null);
});
