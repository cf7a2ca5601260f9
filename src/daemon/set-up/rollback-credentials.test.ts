import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { restoreOld } from "../../../test/kit/old-data.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { Credentials, SqliteCredentials } from "../../adapters/sqlite/accounts-db/admin.ts";
import { SqliteSessions } from "../../adapters/sqlite/accounts-db/sessions.ts";
import { initialise } from "../../adapters/sqlite/engine-db/initialise.ts";
import { ROLES } from "../../core/access/scopes.ts";
import { parseIp } from "../../core/net/ip.ts";
import { HOUR_MS, instant, later } from "../../core/time.ts";
import { type Layout, layoutOf } from "../../settings/layout.ts";
import { changesToLose, rollBack } from "./rollback.ts";
import { makeUpgradeSnapshot, noteUpgraded } from "./upgrade-snapshot.ts";

const NOW = instant(Date.UTC(2026, 10, 21, 12, 0, 0));
const clock = { now: () => NOW };
const OLD = { hash: "{ARGON2ID}$argon2id$v=19$of-before", token: "nightly", digest: "ab".repeat(32) };

/** A server of a version that kept the password and the tokens in `engine.db`. */
function older(): Layout {
  const layout = layoutOf(temporaryDirectory());
  for (const file of [layout.engineDb, layout.accountsDb]) mkdirSync(dirname(file), { recursive: true });
  restoreOld("accounts", layout.accountsDb);
  using engine = new DatabaseSync(restoreOld("engine", layout.engineDb));
  engine.exec(`
    DELETE FROM admin; INSERT INTO admin VALUES ('password', '${OLD.hash}', 1);
    DELETE FROM token; INSERT INTO token VALUES ('${OLD.token}', '${OLD.digest}', 'root', 1)`);
  writeFileSync(layout.settings, 'domains = ["example.test"]\n');
  return layout;
}

/** As a start does it, with what its guard finds then. */
async function upgrade(layout: Layout, hours: number) {
  const snapshot = await makeUpgradeSnapshot(layout, later(NOW, hours * HOUR_MS));
  assert.ok(snapshot !== null);
  const { engine, accounts, credentialsLeft } = initialise(layout);
  assert.equal(credentialsLeft, null);
  noteUpgraded(layout);
  const read = new Credentials(accounts);
  const tokens = read.tokens({ limit: 10, cursor: null }).items.map(({ name, scopes }) => ({ name, scopes }));
  const found = {
    hash: read.adminPasswordHash(),
    tokens,
    sessions: new SqliteSessions(accounts).list(null, NOW).length,
  };
  return { snapshot, found, accounts, close: () => [engine, accounts].forEach((db) => db.close()) };
}

const MOVED = { hash: OLD.hash, tokens: [{ name: OLD.token, scopes: ["read", "ban", "allow"] }], sessions: 0 };

test("a rollback gives the version before its password and tokens again, and so does the next upgrade", async () => {
  const layout = older();
  const first = await upgrade(layout, 0);
  assert.deepEqual(first.found, MOVED);
  const credentials = new SqliteCredentials(first.accounts, clock);
  credentials.setAdminPassword("{X}since");
  credentials.revokeToken(OLD.token);
  const since = { name: "since", digest: "cd".repeat(32), scopes: ROLES.owner, by: "root", at: NOW, expiresAt: null };
  credentials.createToken(since);
  const session = {
    digest: "ef".repeat(32),
    id: "1",
    account: null,
    device: "",
    ip: parseIp("203.0.113.7") ?? assert.fail(),
    at: NOW,
  };
  new SqliteSessions(first.accounts).open(session);
  first.close();

  const changes = changesToLose(layout, first.snapshot);
  assert.deepEqual(changes.tokens, { added: ["since"], removed: [OLD.token], changed: [] });
  assert.deepEqual(changes.passwords, { added: [], removed: [], changed: ["password"] });
  rollBack(layout, first.snapshot, later(NOW, HOUR_MS));
  assert.deepEqual(ofOlder(layout), { admin: OLD.hash, tokens: [[OLD.token, OLD.digest]] });

  const again = await upgrade(layout, 2);
  assert.deepEqual(again.found, MOVED, "nothing of what the first upgrade had");
  again.close();
  const directory = dirname(layout.engineDb);
  for (const name of readdirSync(directory))
    for (const secret of [OLD.hash, OLD.digest])
      assert.ok(!readFileSync(join(directory, name)).includes(secret), `${name} has ${secret}`);
  assert.equal(statSync(layout.beforeUpgrade).mode & 0o777, 0o700, "the snapshot has them, for root alone");
});

test("what the older version changed after a rollback is what the next upgrade takes over", async () => {
  const layout = older();
  const first = await upgrade(layout, 0);
  first.close();
  rollBack(layout, first.snapshot, later(NOW, HOUR_MS));
  using engine = new DatabaseSync(layout.engineDb);
  engine.exec("UPDATE admin SET value = '{X}then'; DELETE FROM token");
  engine.close();
  const again = await upgrade(layout, 2);
  assert.deepEqual(again.found, { hash: "{X}then", tokens: [], sessions: 0 });
  again.close();
});

/** What the older version reads: `engine.db` alone. */
function ofOlder({ engineDb, accountsDb }: Layout) {
  using accounts = new DatabaseSync(accountsDb, { readOnly: true });
  const tables = accounts.prepare("SELECT name FROM sqlite_schema WHERE name IN ('admin', 'token', 'session')").all();
  assert.deepEqual(tables, []);
  using engine = new DatabaseSync(engineDb, { readOnly: true });
  return {
    admin: engine.prepare("SELECT value FROM admin WHERE key = 'password'").get()?.["value"],
    tokens: engine
      .prepare("SELECT name, digest FROM token")
      .all()
      .map((row) => Object.values(row)),
  };
}
