import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { becomeNextVersion, writeToday } from "../../../test/kit/next-version.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { accountsFor, scalarOf } from "../../../test/kit/test-database.ts";
import { differences } from "../../core/incident/incident.ts";
import { openAccounts } from "../open.ts";
import { dropSessions, readAccountContents, readCopiedAccounts } from "./copied-accounts.ts";

test("every change of accounts and aliases is a difference, and no secret is shown", (t) => {
  const db = accountsFor(t);
  const path = db.location() ?? "";
  const reply = "Away. ".repeat(40);
  db.exec(`
    INSERT INTO account (name, password, suspended, created_at) VALUES
      ('anna@example.test', '{ARGON2ID}one', 0, 0), ('bert@example.test', '{ARGON2ID}two', 1, 0);
    INSERT INTO vacation (account, subject, text) VALUES ('bert@example.test', 'Away', '${reply}');
    INSERT INTO alias (address, target) VALUES ('info@example.test', 'anna@example.test')`);
  const before = readAccountContents(path);
  assert.deepEqual(differences(before, readAccountContents(path)), []);
  db.exec(`
    UPDATE account SET password = '{ARGON2ID}three', suspended = 1, quota_bytes = 5 WHERE name LIKE 'anna%';
    INSERT INTO account (name, password, created_at) VALUES ('eve@example.test', '{ARGON2ID}four', 0);
    INSERT INTO vacation (account, subject, text, until)
      VALUES ('anna@example.test', 'Away', 'Write to x@else.test.', 0);
    UPDATE vacation SET text = '${reply}Write to x@else.test.' WHERE account LIKE 'bert%';
    INSERT INTO alias (address, target) VALUES ('info@example.test', 'x@else.test');
    INSERT INTO alias_block VALUES ('info@example.test')`);
  const after = readAccountContents(path);
  const lines = differences(before, after).map(({ what, was, is }) => `${what}: ${was} -> ${is}`);
  assert.deepEqual(lines, [
    "account anna@example.test: active -> suspended",
    "account eve@example.test: null -> active",
    "alias info@example.test: to anna@example.test -> to anna@example.test x@else.test, blocked",
    "password of anna@example.test: (secret) -> another",
    "password of eve@example.test: null -> (secret)",
    "quota of anna@example.test: null -> 5 bytes",
    "vacation reply of anna@example.test: null -> ended 1970-01-01 00:00:00 UTC: Away Write to x@else.test.",
    `vacation reply of bert@example.test: ${after.get("vacation reply of bert@example.test")?.shown} -> another`,
  ]);
  assert.doesNotMatch(JSON.stringify([...after].map(([, { shown }]) => shown)), /ARGON/);
});

test("a copy from an earlier version is read, and a missing or foreign one is refused", (t) => {
  becomeNextVersion(t);
  const directory = temporaryDirectory();
  const path = writeToday("accounts", join(directory, "accounts.db"));
  assert.throws(() => readAccountContents(path), /has not been migrated yet; `\.\/ghostinbox restart`/);
  const kept = readCopiedAccounts(path);
  assert.equal(kept.get("account anna@example.test")?.shown, "active");
  assert.equal(kept.get("alias info@example.test")?.shown, "to anna@example.test");
  assert.deepEqual(readCopiedAccounts(path), kept, "and again");
  const foreign = join(directory, "engine.db");
  writeToday("engine", foreign);
  assert.throws(() => readCopiedAccounts(join(directory, "missing.db")), /does not exist/);
  assert.throws(() => readCopiedAccounts(foreign), /is not a GhostInbox engine\.db/);
});

test("sessions of the dashboard are gone, and nothing else", () => {
  const path = join(temporaryDirectory(), "accounts.db");
  const before = openAccounts(path);
  before.exec(`
    INSERT INTO session VALUES ('d', 'id', 'Firefox', '203.0.113.7', 1, 1, 1, NULL), ('e', 'ie', 'x', '::1', 1, 1, 1, 'anna@example.test');
    INSERT INTO token VALUES ('nightly', 'd', 'root', 1, 'read', NULL, NULL)`);
  before.close();
  dropSessions(path);
  using after = new DatabaseSync(path, { readOnly: true });
  const count = (table: string) => scalarOf(after, `SELECT count(*) FROM ${table}`);
  assert.deepEqual([count("session"), count("token")], [0, 1]);
});
