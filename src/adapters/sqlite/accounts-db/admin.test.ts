import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { START, scratch } from "../../../../test/kit/test-database.ts";
import { openEngine, openEngineForReading } from "../open.ts";
import { Credentials, SqliteCredentials } from "./admin.ts";

test("tokens and the password are written by the guard and read by the web", (t) => {
  const path = join(scratch(t), "engine.db");
  const db = openEngine(path);
  t.after(() => db.close());
  const reader = openEngineForReading(path);
  t.after(() => reader.close());
  const written = new SqliteCredentials(db, { now: () => START });
  const read = new Credentials(reader);

  assert.deepEqual(written.createToken("backup", "d1", "root", START), { ok: true });
  assert.deepEqual(written.createToken("backup", "d2", "root", START), {
    ok: false,
    reason: "A token named backup exists already.",
  });
  assert.equal(read.tokenName("d1"), "backup");
  assert.equal(read.tokenName("d2"), null);
  const token = { name: "backup", createdAt: "2026-11-20T06:00:00.000Z", createdBy: "root" };
  assert.deepEqual(read.tokens({ limit: 1, cursor: null }), { items: [token], next: null, total: 1 });
  assert.deepEqual(written.revokeToken("backup"), { ok: true });
  assert.deepEqual(written.revokeToken("backup"), { ok: false, reason: "There is no token named backup." });
  assert.equal(read.tokenName("d1"), null);

  assert.equal(read.adminPasswordHash(), null);
  written.setAdminPassword("{ARGON2ID}one");
  written.setAdminPassword("{ARGON2ID}two");
  assert.equal(read.adminPasswordHash(), "{ARGON2ID}two");
  written.put("policy", "1");
  assert.equal(read.value("policy"), "1");
});
