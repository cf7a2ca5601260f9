import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { restoreOld } from "../../../../test/kit/old-data.ts";
import { START, scratch } from "../../../../test/kit/test-database.ts";
import { later } from "../../../core/time.ts";
import { openAccounts, openEngine } from "../open.ts";
import { Credentials, SqliteCredentials } from "./admin.ts";
import { moveCredentials } from "./move-credentials.ts";

const HASH = "{ARGON2ID}$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA";
const DIGEST = "ab".repeat(32);
const ALL = { limit: 10, cursor: null };

/** An old `engine.db` with a password and a token. */
function old(t: TestContext) {
  const directory = scratch(t);
  const engineDb = restoreOld("engine", join(directory, "engine.db"));
  const engine = openEngine(engineDb);
  const accounts = openAccounts(restoreOld("accounts", join(directory, "accounts.db")));
  t.after(() => [engine, accounts].forEach((db) => db.close()));
  engine.exec("DELETE FROM admin; DELETE FROM token");
  const put = (name: string): void => {
    engine.exec(`INSERT OR REPLACE INTO admin VALUES ('password', '${HASH}', 1)`);
    engine.exec(`INSERT INTO token VALUES ('${name}', '${DIGEST}', 'root', 2)`);
  };
  put("nightly");
  return { engineDb, engine, accounts, put, read: new Credentials(accounts) };
}

test("password and tokens of an older version work as they did, and the tokens may do what they could", (t) => {
  const { engineDb, engine, accounts, read } = old(t);
  moveCredentials({ engine, accounts, engineDb });
  assert.equal(read.adminPasswordHash(), HASH);
  const token = { createdAt: "1970-01-01T00:00:00.002Z", createdBy: "root", expiresAt: null, usedAt: null };
  assert.deepEqual(read.tokens(ALL).items, [{ name: "nightly", scopes: ["read", "ban", "allow"], ...token }]);
  const credentials = new SqliteCredentials(accounts, { now: () => later(START, 0) });
  assert.deepEqual(credentials.useToken(DIGEST), { name: "nightly", scopes: ["read", "ban", "allow"] });
});

test("what comes again from an old file is erased, and opens nothing", (t) => {
  const { engineDb, engine, accounts, put, read } = old(t);
  moveCredentials({ engine, accounts, engineDb });
  new SqliteCredentials(accounts, { now: () => START }).revokeToken("nightly");
  put("revoked since");
  moveCredentials({ engine, accounts, engineDb });
  assert.deepEqual(read.tokens(ALL).items, []);
  assert.equal(engine.prepare("SELECT count(*) AS n FROM token").get()?.["n"], 0);
});
