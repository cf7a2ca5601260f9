import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, test } from "node:test";
import { modeOf, openFilesIn, put } from "../../test/kit/files.ts";
import { temporaryDirectory, temporaryLayout } from "../../test/kit/temporary-directory.ts";
import { bySqlite3, engineFor, eventRow, record, START, scalarOf } from "../../test/kit/test-database.ts";
import { damage } from "../../test/kit/watched-databases.ts";
import { accountsMigrations } from "./accounts-db/schema.ts";
import { SETTING_TABLES } from "./accounts-db/setting-tables.ts";
import { engineMigrations } from "./engine-db/schema.ts";
import { SqliteStore } from "./engine-db/store.ts";
import { openAccounts, openAccountsForReading, openEngine, openEngineForReading, UnusableDatabase } from "./open.ts";
import { openAnySchema } from "./schemas.ts";

const KINDS = [
  { name: "engine.db", open: openEngine, read: openEngineForReading, migrations: engineMigrations },
  { name: "accounts.db", open: openAccounts, read: openAccountsForReading, migrations: accountsMigrations },
];

/** One line that names the file and the next step. */
function oneSentence(code: UnusableDatabase["code"], path: string) {
  return (error: unknown): boolean => {
    assert.ok(error instanceof UnusableDatabase, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, /^[^\n]+\.$/);
    assert.ok(error.message.startsWith(path), error.message);
    return true;
  };
}

for (const { name, open, read, migrations } of KINDS) {
  describe(name, () => {
    test("is readable only by its owner and group, and refuses writes of a reader", () => {
      const path = join(temporaryDirectory(), name);
      using db = open(path);
      for (const file of [path, `${path}-wal`, `${path}-shm`]) assert.equal(modeOf(file), 0o640, file);
      assert.equal(scalarOf(db, "PRAGMA synchronous"), 1);
      using reader = read(path);
      assert.throws(() => reader.exec("CREATE TABLE x (y)"), /readonly/);
    });

    for (const end of ["", "-wal", "-shm", "-journal"])
      test(`does not wait for a pipe at ${name}${end}`, () => {
        const path = join(temporaryDirectory(), name);
        open(path).close();
        rmSync(`${path}${end}`, { force: true });
        execFileSync("mkfifo", [`${path}${end}`]);
        for (const opens of [open, read, openAnySchema]) assert.throws(() => opens(path), /is not a regular file/);
      });

    test("is not read through a link, which could place -wal and -shm in another directory", () => {
      const [path, link] = [join(temporaryDirectory(), name), join(temporaryDirectory(), name)];
      open(path).close();
      symlinkSync(path, link);
      for (const opens of [read, openAnySchema]) assert.throws(() => opens(link), /is a link/);
      assert.deepEqual(openFilesIn(dirname(path)), []);
    });

    test("refuses an unusable file with one sentence", () => {
      const directory = temporaryDirectory();
      const path = join(directory, name);
      assert.throws(() => read(path), oneSentence("missing", path));
      const nowhere = join(directory, "none", name);
      assert.throws(() => open(nowhere), oneSentence("unopenable", nowhere));

      open(path).close();
      const bytes = readFileSync(path);
      writeFileSync(path, "This is a letter to the editor. ".repeat(200));
      assert.throws(() => open(path), oneSentence("damaged", path));

      writeFileSync(path, bytes);
      truncateSync(path, 4_096);
      assert.throws(() => open(path), oneSentence("damaged", path));

      const scribbled = bytes.map((byte, i) => (i > 8_192 && i % 64 < 32 ? 0x5a : byte));
      writeFileSync(path, scribbled);
      assert.throws(() => open(path), oneSentence("damaged", path));

      writeFileSync(path, bytes);
      new DatabaseSync(path).exec(`PRAGMA user_version = ${migrations.length + 1}`);
      assert.throws(() => open(path), oneSentence("other_version", path));
      assert.throws(() => read(path), oneSentence("other_version", path));

      const other = join(directory, "other", name);
      put(other);
      new DatabaseSync(other).exec("CREATE TABLE recipe (name TEXT)");
      assert.throws(() => open(other), oneSentence("foreign", other));
    });
  });
}

for (const table of SETTING_TABLES.flatMap(({ tables }): readonly string[] => tables))
  test(`damage in ${table} is found when accounts.db is opened`, () => {
    const path = join(temporaryDirectory(), "accounts.db");
    const db = openAccounts(path);
    damage(db, path, table);
    db.close();
    assert.throws(() => openAccounts(path), oneSentence("damaged", path));
  });

test("the other database is not mistaken for this one, and a refused reader leaves no file open", () => {
  const path = join(temporaryDirectory(), "engine.db");
  openAccounts(path).close();
  assert.throws(() => openEngine(path), oneSentence("foreign", path));
  assert.throws(() => openEngineForReading(path), oneSentence("foreign", path));
  assert.deepEqual(openFilesIn(dirname(path)), []);
});

test("set-up leaves -wal and -shm, so that others can read without a writer", () => {
  const layout = temporaryLayout("engineDb", "accountsDb");
  const setUp = new URL("./recovery/initialise.ts", import.meta.url).href;
  const layouts = new URL("../settings/layout.ts", import.meta.url).href;
  const code = `
    import { initialise } from ${JSON.stringify(setUp)};
    import { layoutOf } from ${JSON.stringify(layouts)};
    const held = initialise(layoutOf(${JSON.stringify(layout.data)}));
    process.exit(held.accounts.isOpen ? 0 : 1);`;
  execFileSync(process.execPath, ["--input-type=module", "-e", code]);
  for (const path of [layout.engineDb, layout.accountsDb])
    assert.ok(existsSync(`${path}-wal`) && existsSync(`${path}-shm`), path);
  const directory = dirname(layout.accountsDb);
  for (const each of [layout.data, dirname(directory), directory]) chmodSync(each, 0o755);
  for (const file of ["", "-wal", "-shm"]) chmodSync(`${layout.accountsDb}${file}`, 0o644);
  const query = "SELECT count(*) FROM passdb";
  const asNobody = ["-u", "nobody", "--", "sqlite3", "-readonly", layout.accountsDb, query];
  assert.equal(execFileSync("runuser", asNobody, { encoding: "utf8" }), "0\n");
});

test("the stock sqlite3 reads security_events", (t) => {
  const db = engineFor(t);
  record(
    new SqliteStore(db),
    eventRow("203.0.113.7", START, { type: "CONNECT_REFUSED", verdict: "refuse" }),
    eventRow("203.0.113.7", START, { ip: null, type: "UNBAN", actor: "root", rest: { event: "LIFT", forgiven: true } }),
  );
  assert.deepEqual(bySqlite3(db, "SELECT * FROM security_events").split("\n"), [
    "2026-11-20T06:00:00.000Z|203.0.113.7|CONNECT_REFUSED|smtp mail.example.com|refused",
    "2026-11-20T06:00:00.000Z|203.0.113.7/32|UNBAN|203.0.113.7/32 by root|lifted",
  ]);
});
