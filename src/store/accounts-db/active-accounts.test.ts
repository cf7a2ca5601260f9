import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { parseAccountName } from "../../core/net/address.ts";
import { migrate } from "../schemas.ts";
import { SqliteActiveAccounts } from "./mail-views.ts";
import { accountsMigrations } from "./schema.ts";

test("active is who could sign in, in any case: neither the suspended, nor the unlisted, nor the unknown", () => {
  const db = new DatabaseSync(":memory:");
  migrate(db, accountsMigrations, 1);
  db.exec(`
    INSERT INTO account (name, password, suspended, followed, created_at) VALUES
      ('alice@example.org', '{ARGON2ID}x', 0, NULL, 0), ('carol@example.org', '{ARGON2ID}x', 1, NULL, 0),
      ('dave@example.org', '{ARGON2ID}x', 0, 'listed', 0), ('eve@example.org', '{ARGON2ID}x', 0, 'unlisted', 0)`);
  const accounts = new SqliteActiveAccounts(db);
  for (const name of ["alice@example.org", "ALICE@Example.org", "dave@example.org"])
    assert.ok(accounts.isActive(name), name);
  for (const name of ["carol@example.org", "eve@example.org", "bob@example.org", ""])
    assert.ok(!accounts.isActive(name), name);
  const hashOf = (name: string) => accounts.passwordHash(parseAccountName(name) ?? assert.fail(name));
  assert.equal(hashOf("Alice@example.org"), "{ARGON2ID}x");
  for (const name of ["carol@example.org", "eve@example.org", "bob@example.org"])
    assert.equal(hashOf(name), null, name);
});
