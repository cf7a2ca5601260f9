import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { accountsFor, START } from "../../../test/kit/test-database.ts";
import { parseIp } from "../../core/net/ip.ts";
import { later, MINUTE_MS } from "../../core/time.ts";
import { NotedUses, SqliteCredentials } from "./credentials.ts";
import { SqliteSenderLogins } from "./mail-views.ts";
import { SqliteSessions } from "./sessions.ts";

const IP = parseIp("203.0.113.7") ?? assert.fail();
const TOKEN = { name: "t", digest: "d1", scopes: ["read"], by: "root", at: START, expiresAt: null } as const;

/** A session and a token, each used a minute after it was created. */
function used(t: TestContext) {
  const db = accountsFor(t);
  const uses = new NotedUses();
  const sessions = new SqliteSessions(db, uses);
  const at = later(START, MINUTE_MS);
  const credentials = new SqliteCredentials(db, { now: () => at }, uses);
  sessions.open({ digest: "d0", id: "a", account: null, device: "x", ip: IP, at: START });
  credentials.createToken(TOKEN);
  const use = () => [sessions.find("d0", at, true)?.id, credentials.useToken("d1")?.name];
  const usedAt = () => db.prepare("SELECT used_at AS at FROM session UNION ALL SELECT used_at FROM token").all();
  return { db, use, credentials, logins: new SqliteSenderLogins(db, uses), at, usedAt };
}

test("a noted use does not count as a change of the accounts, and all else does", (t) => {
  const { use, credentials, logins, at, usedAt } = used(t);
  const before = logins.changes();
  assert.deepEqual(use(), ["a", "t"]);
  assert.deepEqual(
    usedAt().map((row) => row["at"]),
    [at, at],
  );
  assert.equal(logins.changes(), before);
  credentials.revokeToken("t");
  assert.equal(logins.changes(), before + 1);
});

test("where nothing can be written a use counts all the same", (t) => {
  const { db, use, usedAt } = used(t);
  db.exec("PRAGMA query_only = 1");
  assert.deepEqual(use(), ["a", "t"]);
  assert.deepEqual(
    usedAt().map((row) => row["at"]),
    [START, null],
  );
});
