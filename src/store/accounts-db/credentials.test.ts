import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { ip } from "../../../test/kit/samples.ts";
import { accountsFor, columnOf, refused, START, scalarOf } from "../../../test/kit/test-database.ts";
import { SCOPES } from "../../core/access/scopes.ts";
import { later, MINUTE_MS } from "../../core/time.ts";
import { LIMITS } from "../../guard/limits.ts";
import { openAccountsForReading } from "../open.ts";
import { NotedUses, readCredentials, sqliteCredentials } from "./credentials.ts";
import { sqliteSenderLogins } from "./mail-lookups.ts";
import { sqliteSessions } from "./sessions.ts";

function fresh(t: TestContext) {
  const db = accountsFor(t);
  const reader = openAccountsForReading(db.location() ?? "");
  t.after(() => reader.close());
  let now = START;
  const written = sqliteCredentials(db, { now: () => now });
  return { db, written, read: readCredentials(reader), at: (ms: number) => (now = later(START, ms)) };
}

const TOKEN = { name: "backup", digest: "d1", scopes: ["read"], by: "root", at: START, expiresAt: null } as const;
const PAGE = { limit: 1, cursor: null };

test("tokens are written by the guard and listed by the command line", (t) => {
  const { written, read } = fresh(t);
  assert.deepEqual(written.createToken(TOKEN), { ok: true });
  assert.deepEqual(written.createToken({ ...TOKEN, digest: "d2" }), refused("A token named backup exists already."));
  assert.deepEqual(written.useToken("d1"), { name: "backup", scopes: ["read"] });
  assert.equal(written.useToken("d2"), null);
  const at = "2026-11-20T06:00:00.000Z";
  const token = { name: "backup", scopes: ["read"], createdAt: at, createdBy: "root", expiresAt: null, usedAt: at };
  assert.deepEqual(read.tokens(PAGE), { items: [token], next: null, total: 1 });
  assert.deepEqual(written.revokeToken("backup"), { ok: true });
  assert.deepEqual(written.revokeToken("backup"), refused("There is no token named backup."));
  assert.equal(written.useToken("d1"), null);
});

test("the number of tokens is bounded", (t) => {
  const { written, read } = fresh(t);
  for (let i = 0; i < LIMITS.tokens; i++)
    assert.ok(written.createToken({ ...TOKEN, name: `t${i}`, digest: `d${i}` }).ok);
  const more = written.createToken({ ...TOKEN, name: "more", digest: "more" });
  assert.deepEqual(more, refused("There are already 200 tokens, the maximum: revoke one first."));
  assert.equal(read.tokens(PAGE).total, LIMITS.tokens);
  written.revokeToken("t0");
  assert.ok(written.createToken({ ...TOKEN, name: "more", digest: "more" }).ok);
});

test("a token expires, and its use is written once a minute", (t) => {
  const { db, written, read, at } = fresh(t);
  written.createToken({ ...TOKEN, scopes: SCOPES, expiresAt: later(START, 2 * MINUTE_MS) });
  assert.equal(read.tokens(PAGE).items[0]?.usedAt, null);
  const changes = () => Number(scalarOf(db, "SELECT total_changes()"));
  const before = changes();
  for (let second = 0; second < 60; second++) {
    at(second * 1_000);
    assert.ok(written.useToken("d1"));
  }
  assert.equal(changes(), before + 1);
  at(2 * MINUTE_MS - 1);
  assert.deepEqual(written.useToken("d1")?.scopes, SCOPES);
  assert.equal(read.tokens(PAGE).items[0]?.usedAt, "2026-11-20T06:01:59.999Z");
  at(2 * MINUTE_MS);
  assert.equal(written.useToken("d1"), null);
});

test("the dashboard's password is stored as a hash", (t) => {
  const { written, read } = fresh(t);
  assert.deepEqual([written.adminPasswordHash(), read.adminPasswordHash()], [null, null]);
  written.setAdminPassword("{ARGON2ID}one");
  written.setAdminPassword("{ARGON2ID}two");
  assert.deepEqual([written.adminPasswordHash(), read.adminPasswordHash()], ["{ARGON2ID}two", "{ARGON2ID}two"]);
});

/** A session and a token, each used a minute after it was created. */
function used(t: TestContext) {
  const db = accountsFor(t);
  const uses = new NotedUses();
  const sessions = sqliteSessions(db, uses);
  const at = later(START, MINUTE_MS);
  const credentials = sqliteCredentials(db, { now: () => at }, uses);
  sessions.open({ digest: "d0", id: "a", account: null, device: "x", ip: ip("203.0.113.7"), at: START });
  credentials.createToken(TOKEN);
  const use = () => [sessions.find("d0", at, true)?.id, credentials.useToken("d1")?.name];
  const usedAt = () => columnOf(db, "SELECT used_at FROM session UNION ALL SELECT used_at FROM token");
  return { db, use, credentials, logins: sqliteSenderLogins(db, uses), at, usedAt };
}

test("a noted use does not count as a change of the accounts, and everything else does", (t) => {
  const { use, credentials, logins, at, usedAt } = used(t);
  const before = logins.changes();
  assert.deepEqual(use(), ["a", "backup"]);
  assert.deepEqual(usedAt(), [at, at]);
  assert.equal(logins.changes(), before);
  credentials.revokeToken("backup");
  assert.equal(logins.changes(), before + 1);
});

test("a use that cannot be written is still accepted", (t) => {
  const { db, use, usedAt } = used(t);
  db.exec("PRAGMA query_only = 1");
  assert.deepEqual(use(), ["a", "backup"]);
  assert.deepEqual(usedAt(), [START, null]);
});
