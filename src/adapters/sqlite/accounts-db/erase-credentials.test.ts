import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { restoreOld } from "../../../../test/kit/old-data.ts";
import { scratch } from "../../../../test/kit/test-database.ts";
import { engineMigrations } from "../engine-db/migrations.ts";
import { openAccounts, openEngine } from "../open.ts";
import { digestOf } from "../recovery/names.ts";
import { Credentials } from "./admin.ts";
import { eraseCredentials } from "./erase-credentials.ts";
import { moveCredentials } from "./move-credentials.ts";

const HASH = "{ARGON2ID}$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA";
const TOKENS = 60;
const DIGESTS = Array.from({ length: TOKENS }, (_, i) => createHash("sha256").update(String(i)).digest("hex"));
/** So many were revoked before the upgrade: the pages on which they were are free, and have others on them, too. */
const REVOKED = 40;
const READS_ON = /^another program reads it: `fuser -v \/\S+engine\.db` names it$/;

/** A data directory of an older version: its databases, a digest of it and one that was set aside, which all know tokens. */
function oldDirectory(t: TestContext): string {
  const directory = scratch(t);
  const path = restoreOld("engine", join(directory, "engine.db"), engineMigrations.length);
  restoreOld("accounts", join(directory, "accounts.db"));
  using db = new DatabaseSync(path);
  db.exec(`PRAGMA journal_mode = WAL; DELETE FROM token; DELETE FROM admin;
    INSERT INTO admin VALUES ('password', '${HASH}', 1)`);
  const add = db.prepare("INSERT INTO token VALUES (?, ?, 'root', 2)");
  for (const [i, digest] of DIGESTS.entries()) add.run(`token ${i}`, digest);
  const revoke = db.prepare("DELETE FROM token WHERE name = ?");
  for (let i = 0; i < REVOKED; i++) revoke.run(`token ${i}`);
  db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  cpSync(path, digestOf(path));
  cpSync(path, `${path}.damaged-20261120T070000Z`);
  cpSync(path, `${path}.new`);
  return directory;
}

/** The files that the web may read, and that hold the hash or a digest. */
function tellingFiles(directory: string): readonly string[] {
  const telling = (name: string): boolean => {
    const path = join(directory, name);
    const bytes = readFileSync(path);
    return (statSync(path).mode & 0o077) !== 0 && [HASH, ...DIGESTS].some((secret) => bytes.includes(secret));
  };
  return readdirSync(directory).filter((name) => name.startsWith("engine.db") && telling(name));
}

function opened(t: TestContext, directory: string) {
  const engineDb = join(directory, "engine.db");
  const engine = openEngine(engineDb);
  const accounts = openAccounts(join(directory, "accounts.db"));
  t.after(() => [engine, accounts].forEach((db) => db.close()));
  return { engineDb, engine, accounts };
}

test("neither the file and its log, nor free pages, nor what lies beside it tell the hash or a token's digest", (t) => {
  const directory = oldDirectory(t);
  assert.equal(tellingFiles(directory).length, 4);
  const open = opened(t, directory);
  assert.ok(Number(open.engine.prepare("PRAGMA freelist_count").get()?.["freelist_count"]) > 0);
  assert.equal(moveCredentials(open), null);
  assert.deepEqual(tellingFiles(directory), []);
  assert.equal(new Credentials(open.accounts).tokens({ limit: 100, cursor: null }).total, TOKENS - REVOKED);
  assert.equal(open.engine.prepare("PRAGMA integrity_check").get()?.["integrity_check"], "ok");
});

test("killed before any of its statements, the next start comes to the same end", (t) => {
  const directory = oldDirectory(t);
  const open = opened(t, directory);
  const killed: string[] = [];
  /** Files as they are now are what a kill would leave. */
  const noting = (db: DatabaseSync): DatabaseSync => {
    const exec = db.exec.bind(db);
    db.exec = (sql) => {
      const at = join(directory, `killed-${killed.length}`);
      mkdirSync(at);
      killed.push(at);
      for (const name of readdirSync(directory))
        if (name.includes(".db") && !name.endsWith("-shm")) cpSync(join(directory, name), join(at, name));
      exec(sql);
    };
    return db;
  };
  moveCredentials({ ...open, engine: noting(open.engine), accounts: noting(open.accounts) });
  assert.ok(killed.length > 10);
  for (const at of killed) {
    const again = opened(t, at);
    assert.equal(moveCredentials(again), null, at);
    assert.deepEqual(tellingFiles(at), [], at);
    assert.throws(() => again.engine.prepare("SELECT * FROM overwriting"), /no such table/, at);
    const read = new Credentials(again.accounts);
    assert.deepEqual(
      [read.adminPasswordHash(), read.tokens({ limit: 1, cursor: null }).total],
      [HASH, TOKENS - REVOKED],
      at,
    );
  }
});

test("while another program reads, it is not done, and the start after that does it", (t) => {
  const directory = oldDirectory(t);
  const open = opened(t, directory);
  const reader = new DatabaseSync(open.engineDb, { readOnly: true });
  reader.exec("BEGIN; SELECT count(*) FROM token");
  assert.match(moveCredentials(open) ?? "", READS_ON);
  assert.match(eraseCredentials(open.engine, open.engineDb) ?? "", READS_ON);
  assert.ok(tellingFiles(directory).includes("engine.db"), "it could not be overwritten");
  assert.equal(new Credentials(open.accounts).adminPasswordHash(), HASH, "and they are in force");
  reader.close();
  assert.equal(eraseCredentials(open.engine, open.engineDb), null);
  assert.deepEqual(tellingFiles(directory), []);
});

test("a database that cannot be written now stops no start", (t) => {
  const directory = oldDirectory(t);
  const { engine, engineDb } = opened(t, directory);
  const other = new DatabaseSync(engineDb);
  t.after(() => other.close());
  other.exec("BEGIN IMMEDIATE");
  assert.match(eraseCredentials(engine, engineDb) ?? "", /locked/);
  other.exec("ROLLBACK");
  assert.equal(eraseCredentials(engine, engineDb), null);
});

test("once it is done a start leaves the file and its digest as they are, but for what is set aside later", (t) => {
  const directory = oldDirectory(t);
  const { engine, engineDb } = opened(t, directory);
  eraseCredentials(engine, engineDb);
  writeFileSync(digestOf(engineDb), "");
  const aside = `${engineDb}.replaced-20261121T070000Z`;
  writeFileSync(aside, "");
  chmodSync(aside, 0o640);
  const before = readFileSync(`${engineDb}-wal`);
  assert.equal(eraseCredentials(engine, engineDb), null);
  assert.ok(existsSync(digestOf(engineDb)));
  assert.deepEqual(readFileSync(`${engineDb}-wal`), before);
  assert.equal(statSync(aside).mode & 0o777, 0o600);
});
